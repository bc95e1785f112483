import type { encryptionOperations } from '@damask/contracts/encryption.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { beginRotation, findRotation } from '#platform/crypto/encryption-store.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { readEncryption } from './read-encryption.ts';

/** Can be repeated: one that is under way is answered as it is. What older versions sealed is sealed anew by and by. */
export async function rotateDataKey(
  parts: IdentityParts,
  context: CallContext,
): Promise<OutputOf<typeof encryptionOperations.rotateDataKey>> {
  const { database, vault, trail } = parts;
  const { workspace } = context;
  const scope = { role: 'identity', workspace };
  const isOpen = async () => {
    const last = await database.transaction(scope, findRotation);
    return last !== undefined && last.finished_at === null;
  };
  if (await isOpen()) return readEncryption(parts, context);
  const next = await vault.makeNext(workspace);
  const begun = await database.transaction(scope, async (transaction) => {
    if (!(await beginRotation(transaction, workspace, next))) return false;
    await trail.leave(transaction, context, {
      action: 'rotateDataKey',
      subject: `encryption/${next.version}`,
      details: { version: next.version, wrapped_by: next.kek },
      event: 'identity.data-key-rotated',
      data: { version: next.version },
    });
    return true;
  });
  // Somebody else was faster: it is theirs that is answered.
  if (!begun && !(await isOpen())) {
    throw new AppError('unavailable', 'The data key has changed in this moment. Look at it: damask key status', {
      retryAfterSeconds: 1,
    });
  }
  await vault.follow();
  return readEncryption(parts, context);
}
