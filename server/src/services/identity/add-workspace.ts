import type { ApiKey } from '@damask/contracts/api-key.ts';
import type { Workspace } from '@damask/contracts/identity.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { addKey } from './add-key.ts';
import type { IdentityParts } from './identity-parts.ts';
import { insertWorkspace } from './store.ts';

export interface WorkspaceToAdd {
  /** The operation that makes the workspace. */
  readonly action: string;
  readonly name: string;
  readonly ownerKey: { readonly hash: string; readonly prefix: string };
}

/** What the first key of a workspace, and one that replaces it, is called. */
export const ownerKeyName = 'owner';

/** Writes a workspace with its first owner key. `context.workspace` is the id of the new workspace. */
export async function addWorkspace(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { action, name, ownerKey }: WorkspaceToAdd,
): Promise<{ workspace: Workspace; key: ApiKey }> {
  const workspace = await insertWorkspace(transaction, {
    id: context.workspace,
    name,
    createdAt: parts.clock.now(),
  });
  await parts.trail.leave(transaction, context, {
    action,
    subject: `workspace/${workspace.id}`,
    details: { name },
    event: 'identity.workspace-created',
    data: { workspace: workspace.id, name },
  });
  const key = await addKey(parts, transaction, context, {
    action,
    name: ownerKeyName,
    role: 'owner',
    hash: ownerKey.hash,
    prefix: ownerKey.prefix,
    expiresAt: null,
  });
  return { workspace, key };
}
