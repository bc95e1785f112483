import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { addWorkspace } from './add-workspace.ts';
import { checkName } from './check-name.ts';
import type { IdentityParts } from './identity-parts.ts';
import { mintKey } from './mint-key.ts';

type CreateWorkspace = typeof identityOperations.createWorkspace;

export async function createWorkspace(
  parts: IdentityParts,
  caller: CallContext,
  { name }: InputOf<CreateWorkspace>,
): Promise<OutputOf<CreateWorkspace>> {
  checkName(name);
  const context = { ...caller, workspace: parts.clock.uuid() };
  const { secret, hash, prefix } = mintKey();
  const scope = { role: 'identity', workspace: context.workspace };
  const { workspace, key } = await parts.database.transaction(scope, (transaction) =>
    addWorkspace(parts, transaction, context, { action: 'createWorkspace', name, ownerKey: { hash, prefix } }),
  );
  return { workspace, owner_key: { ...key, key: secret } };
}
