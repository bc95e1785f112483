import type { contextOperations } from '@damask/contracts/context.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { findContext } from './context-store.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';
import { openText } from './sealed-text.ts';

type ReadContext = typeof contextOperations.readContext;

export async function readContext(
  parts: Pick<ConversationParts, 'database' | 'vault'>,
  { workspace }: Pick<CallContext, 'workspace'>,
  { context: name }: InputOf<ReadContext>,
): Promise<OutputOf<ReadContext>> {
  const found = await inWorkspace(parts, workspace, (transaction) => findContext(transaction, name));
  if (!found) throw notFound();
  // Outside the transaction: the key may have to be read, which takes a connection of its own.
  const content = await openText(parts.vault, workspace, { table: 'pattern.context', row: name }, found.content);
  return { ...found, content };
}
