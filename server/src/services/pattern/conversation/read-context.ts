import type { Context, contextOperations } from '@damask/contracts/context.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { findContext, lockContext } from './context-store.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';
import { openText } from './sealed-text.ts';

const placeOf = (name: string) => ({ table: 'pattern.context', row: name }) as const;

type ReadContext = typeof contextOperations.readContext;

export async function readContext(
  parts: Pick<ConversationParts, 'database' | 'vault'>,
  { workspace }: Pick<CallContext, 'workspace'>,
  { context: name }: InputOf<ReadContext>,
): Promise<OutputOf<ReadContext>> {
  const found = await inWorkspace(parts, workspace, (transaction) => findContext(transaction, name));
  if (!found) throw notFound();
  // Outside the transaction: the key may have to be read, which takes a connection of its own.
  const content = await openText(parts.vault, workspace, placeOf(name), found.content);
  return { ...found, content };
}

/** What a read answers, and nobody changes it until the transaction ends. The workspace's key must be there already. */
export async function readLocked(
  { vault }: Pick<ConversationParts, 'vault'>,
  transaction: Transaction,
  workspace: string,
  name: string,
): Promise<Context | undefined> {
  await lockContext(transaction, name);
  const found = await findContext(transaction, name);
  return found && { ...found, content: await openText(vault, workspace, placeOf(name), found.content) };
}
