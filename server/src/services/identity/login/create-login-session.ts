import type { NewLogin, Visit } from '@damask/contracts/login.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { leaveEverywhere } from './leave-everywhere.ts';
import { loginSessionsTopic, sessionsMost } from './login-parts.ts';
import * as store from './login-store.ts';
import { mintSecret } from './mint-secret.ts';
import { listOpenWorkspaces } from './open-workspaces-store.ts';

export interface LoginToMake {
  /** Id of an account that has proved who it is. */
  readonly account: string;
  readonly kind: 'browser' | 'cli';
  /** How: `link`, `passkey`, `invitation`, or the name of an identity provider. */
  readonly way: string;
  /** Id of that provider. */
  readonly provider?: string;
  readonly visit: Visit;
  /** Runs first in the same transaction, outside of any workspace: what a proof uses up. */
  readonly before?: (transaction: Transaction) => Promise<void>;
  /** A workspace that `before` makes the account a member of, and lets it enter. */
  readonly joins?: string;
}

/**
 * A login session for an account, with a secret that is shown this once. The session that the browser held before ends
 * in the same transaction, and each workspace of the account gets an audit row and an event.
 * Errors: `sign_in_refused` for an account that is unknown, disabled or a member nowhere.
 */
export async function createLoginSession(
  parts: IdentityParts,
  context: CallContext,
  login: LoginToMake,
): Promise<NewLogin> {
  const { database, clock, loginLimits } = parts;
  // Where only a provider lets the account in, no other way of signing in counts.
  const open = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    listOpenWorkspaces(transaction, login.account, login.provider ?? null),
  );
  const workspaces = login.joins === undefined ? open : [...open, login.joins];
  return database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    await login.before?.(transaction);
    const account = await store.lockAccount(transaction, login.account);
    if (!account || account.disabled || workspaces.length === 0) throw signInRefused();
    const now = clock.now();
    const { secret, hash } = mintSecret('dms');
    if (login.visit.previous !== null) await store.revokeByHash(transaction, login.visit.previous, now);
    await endOldest(transaction, account.id, now);
    await store.sweepLogins(transaction, now - 86_400_000);
    const session = await store.insertSession(transaction, {
      id: clock.uuid(),
      account: account.id,
      hash,
      kind: login.kind,
      way: login.way,
      provider: login.provider ?? null,
      userAgent: login.visit.user_agent,
      address: login.visit.address,
      now,
      expiresAt: now + loginLimits.longestMs,
      idleMs: loginLimits.idleMs,
    });
    await bumpTopic(transaction, loginSessionsTopic);
    const { id, name, email } = account;
    const actor = { kind: 'member', id, name, role: 'viewer', account: id } as const;
    await leaveEverywhere(parts, transaction, { ...context, actor }, workspaces, {
      action: 'signIn',
      subject: `login-session/${session.id}`,
      details: { way: login.way, kind: login.kind, address: login.visit.address },
      event: 'identity.member-signed-in',
      data: { account: id, login_session: session.id, way: login.way },
    });
    return { secret, session, account: { id, name, email } };
  });
}

/** Ids of the workspaces of an account, at most 100. */
export function workspacesOf({ database }: Pick<IdentityParts, 'database'>, account: string): Promise<string[]> {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    store.listWorkspacesOf(transaction, account),
  );
}

// Someone who signs in again and again must not fill the memory of every edge.
async function endOldest(transaction: Transaction, account: string, now: number): Promise<void> {
  const sessions = await store.listSessions(transaction, account, now);
  const ids = sessions.slice(sessionsMost - 1).map(({ id }) => id);
  if (ids.length > 0) await store.revokeSessions(transaction, { account, ids, now });
}

/** One answer for all causes. */
export function signInRefused(): AppError {
  return new AppError(
    'sign_in_refused',
    'This sign-in is not valid, is over or was used before. Begin again; links are made with: damask login --link',
  );
}
