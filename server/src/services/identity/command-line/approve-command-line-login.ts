import { hash, randomBytes } from 'node:crypto';
import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { approve, findApprover, findByUserCode } from './command-line-store.ts';

type Read = typeof commandLineLoginOperations.readCommandLineLogin;
type Approve = typeof commandLineLoginOperations.approveCommandLineLogin;

/** Which command line asks. Errors: `not_found` for one that is over, unknown or approved. */
export async function readCommandLineLogin(
  { database, clock }: IdentityParts,
  { user_code }: InputOf<Read>,
): Promise<OutputOf<Read>> {
  const row = await database.transaction({ role: 'identity', workspace: null }, (transaction) =>
    findByUserCode(transaction, user_code, clock.now()),
  );
  if (!row) throw notFound();
  const { name, address, created_at, expires_at } = row;
  return { name, address, created_at: created_at.toISOString(), expires_at: expires_at.toISOString() };
}

/**
 * The command line gets a login session of the caller, no better than the caller's own. Where it listens on the caller's
 * machine the browser brings it a code: who was tricked into approving a stranger's gives that one nothing.
 */
export async function approveCommandLineLogin(
  { database, clock }: IdentityParts,
  { actor }: CallContext,
  { user_code }: InputOf<Approve>,
): Promise<OutputOf<Approve>> {
  return database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const now = clock.now();
    const session = actor.session ?? '';
    const approver = await findApprover(transaction, { session, account: actor.id, now });
    if (approver?.kind !== 'browser') throw browsersOnly();
    const row = await findByUserCode(transaction, user_code, now);
    if (!row) throw notFound();
    const code = row.port === null ? null : randomBytes(32).toString('base64url');
    const { way, provider } = approver;
    const codeHash = code && hash('sha256', code, 'base64');
    await approve(transaction, row.id, { account: actor.id, way, provider, codeHash });
    if (code === null) return { location: null };
    const query = new URLSearchParams({ code, state: row.state ?? '' });
    return { location: `http://127.0.0.1:${row.port}/?${query}` };
  });
}

function browsersOnly(): AppError {
  return new AppError('forbidden', 'A person approves this in a browser. Sign in there.', { need: 'browser' });
}
