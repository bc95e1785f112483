import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { addWorkspace } from './add-workspace.ts';
import { checkName } from './check-name.ts';
import type { IdentityParts } from './identity-parts.ts';
import { isOwnerKey } from './key-store.ts';
import { readInstance } from './read-instance.ts';
import { claimFirst } from './store.ts';

type OpenInstance = typeof identityOperations.openInstance;

/** Can be repeated: the key comes from the caller, so a lost answer leaves no key that nobody knows. */
export async function openInstance(
  parts: IdentityParts,
  caller: CallContext,
  { name, key_hash: hash, key_prefix: prefix }: InputOf<OpenInstance>,
): Promise<OutputOf<OpenInstance>> {
  checkName(name);
  const { database, clock, log } = parts;
  const context = { ...caller, workspace: clock.uuid() };
  const made = await database.transaction({ role: 'identity', workspace: context.workspace }, async (transaction) => {
    if (!(await claimFirst(transaction, context.workspace))) return false;
    await addWorkspace(parts, transaction, context, { action: 'openInstance', name, ownerKey: { hash, prefix } });
    return true;
  });
  if (made) {
    log.info('The first workspace was made', { workspace: context.workspace });
    return { workspace: context.workspace, accepted: true };
  }
  const { workspace } = await readInstance(parts);
  if (workspace === null) throw new Error('The first workspace was there and is gone');
  const accepted = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    isOwnerKey(transaction, hash, clock.now()),
  );
  return { workspace, accepted };
}
