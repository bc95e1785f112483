import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { addKey } from './add-key.ts';
import { ownerKeyName } from './add-workspace.ts';
import type { IdentityParts } from './identity-parts.ts';
import { readInstance } from './read-instance.ts';
import { findWorkspace } from './store.ts';

type ReissueOwnerKey = typeof identityOperations.reissueOwnerKey;

export async function reissueOwnerKey(
  parts: IdentityParts,
  caller: CallContext,
  input: InputOf<ReissueOwnerKey>,
): Promise<OutputOf<ReissueOwnerKey>> {
  const workspace = input.workspace ?? (await readInstance(parts)).workspace;
  if (workspace === null) throw notFound();
  const context = { ...caller, workspace };
  const key = await parts.database.transaction({ role: 'identity', workspace }, async (transaction) => {
    if (!(await findWorkspace(transaction))) throw notFound();
    return addKey(parts, transaction, context, {
      action: 'reissueOwnerKey',
      name: ownerKeyName,
      role: 'owner',
      hash: input.key_hash,
      prefix: input.key_prefix,
      expiresAt: null,
    });
  });
  parts.log.warn('An owner key was made by someone with access to the server', { workspace, key_id: key.id });
  return { workspace, key };
}
