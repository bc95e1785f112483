import type { encryptionOperations } from '@damask/contracts/encryption.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { shreddedAt, shredKeys } from '#platform/crypto/encryption-store.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findWorkspace } from '../store.ts';

type ShredWorkspace = typeof encryptionOperations.shredWorkspace;

/** Can be repeated. What the keys sealed cannot be read any more, here and within a second in every other process. */
export async function shredWorkspace(
  { database, trail, vault, log }: IdentityParts,
  caller: CallContext,
  { workspace: id, name }: InputOf<ShredWorkspace>,
): Promise<OutputOf<ShredWorkspace>> {
  const context = { ...caller, workspace: id };
  const answer = await database.transaction({ role: 'identity', workspace: id }, async (transaction) => {
    const workspace = await findWorkspace(transaction);
    if (!workspace) throw notFound();
    if (workspace.name !== name) {
      throw new AppError(
        'policy_refused',
        `The workspace ${id} has another name. Nothing was destroyed; check the id.`,
      );
    }
    const before = await shreddedAt(transaction);
    if (before) return { workspace: id, shredded_at: before.toISOString(), keys: 0 };
    const keys = await shredKeys(transaction, id);
    await trail.leave(transaction, context, {
      action: 'shredWorkspace',
      subject: `workspace/${id}`,
      details: { keys },
      event: 'identity.workspace-shredded',
      data: { workspace: id },
    });
    const at = (await shreddedAt(transaction)) as Date;
    return { workspace: id, shredded_at: at.toISOString(), keys };
  });
  await vault.follow();
  log.warn('The keys of a workspace were destroyed by someone with access to the server', { workspace: id });
  return answer;
}
