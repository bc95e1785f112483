import type { loginOperations } from '@damask/contracts/login.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import { permissions } from '@damask/contracts/permissions.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { requireWholeReach } from '../role/pass-on-role.ts';
import { findWorkspace } from '../store.ts';
import * as store from './login-store.ts';
import { mintSecret } from './mint-secret.ts';

type IssueLoginLink = typeof loginOperations.issueLoginLink;

/** Milliseconds in which a link signs in. */
const linkLifetime = 600_000;

/**
 * Signs in whose key it is; without such a person the local owner, who is made when there is none. Errors: `forbidden`
 * for all but owners with everything that an owner holds: the link opens all of it.
 */
export async function issueLoginLink(parts: IdentityParts, context: CallContext): Promise<OutputOf<IssueLoginLink>> {
  const { database, clock, trail } = parts;
  const { workspace, actor } = context;
  requireWholeReach(context);
  if (actor.role !== 'owner' || permissions.some((one) => !context.permissions.has(one))) throw ownersOnly();
  const shared = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    store.listSharedOwners(transaction, workspace),
  );
  // A key is for one workspace; a link must not make more of it.
  if (actor.account !== undefined && shared.includes(actor.account)) throw elsewhereToo();
  const { secret, hash } = mintSecret('dml');
  const now = clock.now();
  const expiresAt = now + linkLifetime;
  const account = await database.transaction({ role: 'identity', workspace }, async (transaction) => {
    if (!(await findWorkspace(transaction))) throw notFound();
    const owner = actor.account ?? (await localOwner(parts, transaction, context, shared));
    await store.enterWorkspace(transaction, null);
    const found = await store.findAccount(transaction, owner);
    if (!found) throw notFound();
    const id = clock.uuid();
    await store.insertLink(transaction, { id, account: owner, madeIn: workspace, hash, now, expiresAt });
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
  const { id, name, email } = account;
  return { link: secret, account: { id, name, email }, expires_at: new Date(expiresAt).toISOString() };
}

/** Id of the account; the transaction is in the workspace, before and after. */
async function localOwner(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  shared: readonly string[],
): Promise<string> {
  const { workspace } = context;
  await store.lockOwners(transaction);
  const known = (await store.listLocalOwners(transaction)).find((one) => !shared.includes(one));
  if (known !== undefined) return known;
  const account = clock.uuid();
  const now = clock.now();
  await store.enterWorkspace(transaction, null);
  await store.insertAccount(transaction, { id: account, name: 'owner', email: null, emailVerified: false, now });
  await store.enterWorkspace(transaction, workspace);
  await store.insertOwner(transaction, { workspace, account, now });
  await trail.leave(transaction, context, {
    action: 'createLoginLink',
    subject: `member/${account}`,
    details: { role: 'owner', source: 'local' },
    event: 'identity.member-added',
    data: { account, role: 'owner' },
  });
  await bumpTopic(transaction, membersTopic);
  return account;
}

function elsewhereToo(): AppError {
  return new AppError(
    'policy_refused',
    'You are a member of other workspaces too, and a link would open them with a key of this one. Sign in with a passkey.',
  );
}

function ownersOnly(): AppError {
  return new AppError(
    'forbidden',
    'A link opens all that an owner holds, so only a whole owner key or an owner makes one. Use such a key, or ask an owner.',
    { need: 'role:owner' },
  );
}
