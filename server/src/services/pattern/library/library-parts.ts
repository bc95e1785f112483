import type { EventName } from '@damask/contracts/events.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { Trail, TrailEntry } from '#platform/trail.ts';
import type { NewLabelMove } from './label-store.ts';

/** What the operations of the library are built from. */
export interface LibraryParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly cursors: Cursors;
  readonly trail: Trail;
  /** Brings this process's own table up to date, so that a caller can run what it has just published. */
  readonly afterChange: () => Promise<void>;
}

/** The topic whose version moves with every change that a run can notice. */
export const libraryTopic = 'pattern.library';

type Work<Result> = (transaction: Transaction) => Promise<Result>;

/** A transaction that sees the caller's workspace. */
export function inWorkspace<Result>(
  { database }: Pick<LibraryParts, 'database'>,
  { workspace }: Pick<CallContext, 'workspace'>,
  work: Work<Result>,
): Promise<Result> {
  return database.transaction({ role: 'pattern', workspace }, work);
}

/** The same for a write. What is committed stays so, whether or not the table in memory could follow at once. */
export async function changeLibrary<Result>(
  parts: LibraryParts,
  context: CallContext,
  work: Work<Result>,
): Promise<Result> {
  const result = await inWorkspace(parts, context, work);
  await parts
    .afterChange()
    .catch((error: unknown) => parts.log.warn('The table of patterns follows a change later', { error }));
  return result;
}

/** Leaves an audit row and an event, and says that the tables in memory are out of date. */
export async function leaveTrace<Name extends EventName>(
  { trail }: LibraryParts,
  transaction: Transaction,
  context: CallContext,
  entry: TrailEntry<Name>,
): Promise<void> {
  await trail.leave(transaction, context, entry);
  await bumpTopic(transaction, libraryTopic);
}

/** Who did it, for columns that name keys and members. The name is kept as it is now. */
export function authorOf({ actor }: CallContext): { created_by: string | null; author: string | null } {
  return actor.kind === 'system' ? { created_by: null, author: null } : { created_by: actor.id, author: actor.name };
}

/** A label's move by this caller. */
export function labelMove(
  { clock }: Pick<LibraryParts, 'clock'>,
  context: CallContext,
  { workspace, pattern, label, before, after }: Omit<NewLabelMove, 'id' | 'moved_by' | 'author'>,
): NewLabelMove {
  const { created_by: moved_by, author } = authorOf(context);
  return { workspace, id: clock.uuid(), pattern, label, before, after, moved_by, author };
}
