import type { loginOperations } from '@damask/contracts/login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { readInstance } from '../read-instance.ts';
import { findWorkspace } from '../store.ts';
import * as store from './login-store.ts';
import { mintSecret } from './mint-secret.ts';

type CreateLoginLink = typeof loginOperations.createLoginLink;

/** Milliseconds in which a link signs in. */
export const linkLifetime = 600_000;

/** For the owner of the workspace, the first one unless told; without one, a local owner is made. */
export async function createLoginLink(
  parts: IdentityParts,
  caller: CallContext,
  input: InputOf<CreateLoginLink>,
): Promise<OutputOf<CreateLoginLink>> {
  const { database, clock, log, trail } = parts;
  const workspace = input.workspace ?? (await readInstance(parts)).workspace;
  if (workspace === null) throw notFound();
  const context = { ...caller, workspace };
  const { secret, hash } = mintSecret('dml');
  const now = clock.now();
  const expiresAt = now + linkLifetime;
  const account = await database.transaction({ role: 'identity', workspace }, async (transaction) => {
    if (!(await findWorkspace(transaction))) throw notFound();
    await store.lockOwners(transaction);
    const owner = (await store.findOwner(transaction)) ?? clock.uuid();
    await store.enterWorkspace(transaction, null);
    let found = await store.findAccount(transaction, owner);
    if (!found) {
      found = { id: owner, name: 'owner', email: null, disabled: false };
      await store.insertAccount(transaction, { ...found, emailVerified: false, now });
      await store.enterWorkspace(transaction, workspace);
      await store.insertOwner(transaction, { workspace, account: owner, now });
      await trail.leave(transaction, context, {
        action: 'createLoginLink',
        subject: `member/${owner}`,
        details: { role: 'owner', source: 'local' },
        event: 'identity.member-added',
        data: { account: owner, role: 'owner' },
      });
      await bumpTopic(transaction, membersTopic);
      await store.enterWorkspace(transaction, null);
    }
    const id = clock.uuid();
    await store.insertLink(transaction, { id, account: owner, hash, now, expiresAt });
    await store.enterWorkspace(transaction, workspace);
    await trail.leave(transaction, context, {
      action: 'createLoginLink',
      subject: `login-link/${id}`,
      details: { account: owner },
      event: 'identity.login-link-created',
      data: { account: owner, login_link: id },
    });
    return found;
  });
  log.warn('A link that signs the owner in was made by someone with access to the server', { workspace });
  const { id, name, email } = account;
  return { link: secret, account: { id, name, email }, expires_at: new Date(expiresAt).toISOString() };
}
