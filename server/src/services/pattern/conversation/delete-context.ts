import type { contextOperations } from '@damask/contracts/context.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { changeContexts, leaveContextTrace } from './change-contexts.ts';
import * as store from './context-store.ts';
import type { ConversationParts } from './conversation-parts.ts';
import { readLocked } from './read-context.ts';

type DeleteContext = typeof contextOperations.deleteContext;

/** Answers what it was, without its text. */
export async function deleteContext(
  parts: ConversationParts,
  context: CallContext,
  { context: name, ...given }: InputOf<DeleteContext>,
): Promise<OutputOf<DeleteContext>> {
  if (given.if_match !== undefined) await parts.vault.ready(context.workspace);
  return changeContexts(parts, context, async (transaction) => {
    await requireMatch(given, () => readLocked(parts, transaction, context.workspace, name));
    const deleted = await store.deleteContext(transaction, name);
    if (!deleted) throw notFound();
    await leaveContextTrace(parts, transaction, context, {
      action: 'deleteContext',
      subject: `context/${name}`,
      event: 'pattern.context-deleted',
      data: { context: name },
    });
    return deleted;
  });
}
