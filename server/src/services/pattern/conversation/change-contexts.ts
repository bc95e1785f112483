import type { EventName } from '@damask/contracts/events.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { TrailEntry } from '#platform/trail.ts';
import { type ConversationParts, contextTopic, inWorkspace } from './conversation-parts.ts';

/** A write that this process sees at once. What is committed stays so, whether or not its memory could follow. */
export async function changeContexts<Result>(
  parts: ConversationParts,
  { workspace }: CallContext,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const result = await inWorkspace(parts, workspace, work);
  await parts
    .afterChange()
    .catch((error: unknown) => parts.log.warn('What is held of contexts follows a change later', { error }));
  return result;
}

/** Leaves an audit row and an event, and says that what is held in memory is out of date. */
export async function leaveContextTrace<Name extends EventName>(
  { trail }: ConversationParts,
  transaction: Transaction,
  context: CallContext,
  entry: TrailEntry<Name>,
): Promise<void> {
  await trail.leave(transaction, context, entry);
  await bumpTopic(transaction, contextTopic);
}
