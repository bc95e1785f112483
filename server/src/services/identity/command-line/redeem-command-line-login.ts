import { createHash, hash, timingSafeEqual } from 'node:crypto';
import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { createLoginSession, signInRefused } from '../login/create-login-session.ts';
import { findWaiting, removeWaiting, type WaitingRow } from './command-line-store.ts';

type Redeem = typeof commandLineLoginOperations.redeemCommandLineLogin;

/** Errors: `sign_in_refused` for whoever is not the command line that asked, and for what is over or was redeemed. */
export async function redeemCommandLineLogin(
  parts: IdentityParts,
  context: CallContext,
  { login, verifier, code, visit }: InputOf<Redeem>,
): Promise<OutputOf<Redeem>> {
  const { database, clock } = parts;
  const row = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    findWaiting(transaction, login, clock.now()),
  );
  if (!row || !isSame(createHash('sha256').update(verifier).digest('base64url'), row.challenge)) throw signInRefused();
  if (row.account === null || row.way === null) return { status: 'waiting' };
  if (!hasCode(row, code)) throw signInRefused();
  const { account, way, provider } = row;
  const made = await createLoginSession(parts, context, {
    account,
    kind: 'cli',
    way,
    ...(provider === null ? {} : { provider }),
    visit: { ...visit, user_agent: `${row.name} ${visit.user_agent}`.slice(0, 200), previous: null },
    before: async (transaction) => {
      if (!(await removeWaiting(transaction, login))) throw signInRefused();
    },
  });
  return { status: 'approved', ...made };
}

function hasCode({ code_hash }: WaitingRow, code: string | undefined): boolean {
  if (code_hash === null) return code === undefined;
  return code !== undefined && isSame(hash('sha256', code, 'base64'), code_hash);
}

function isSame(given: string, wanted: string): boolean {
  return given.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
}
