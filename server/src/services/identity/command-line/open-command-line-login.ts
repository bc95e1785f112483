import { randomInt } from 'node:crypto';
import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import { checkName } from '../check-name.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { countWaiting, insertWaiting } from './command-line-store.ts';

type Open = typeof commandLineLoginOperations.openCommandLineLogin;

const lifetime = 600_000;
const mostOfAddress = 20;
/** Without vowels no word comes of it, and nothing looks like something else. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ';

/** Errors: `rate_limited` when too many of one address wait. */
export async function openCommandLineLogin(
  { database, clock }: IdentityParts,
  { challenge, name, port, state, address }: InputOf<Open>,
): Promise<OutputOf<Open>> {
  checkName(name);
  if ((port === undefined) !== (state === undefined)) {
    throw new AppError('invalid_request', 'port and state belong together. Send both, or neither.', {
      pointer: '/state',
    });
  }
  const now = clock.now();
  const login = { id: clock.uuid(), user_code: `${word()}-${word()}`, expires_at: new Date(now + lifetime) };
  await database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const waiting = await countWaiting(transaction, { address, now, most: mostOfAddress });
    if (waiting >= mostOfAddress) throw tooMany();
    const asked = { challenge, name, address, port: port ?? null, state: state ?? null };
    await insertWaiting(transaction, { ...login, ...asked, created_at: new Date(now) });
  });
  return { login: login.id, user_code: login.user_code, expires_at: login.expires_at.toISOString() };
}

const word = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('');

function tooMany(): AppError {
  return new AppError(
    'rate_limited',
    `${mostOfAddress} command lines of this address wait for somebody to approve them. Approve or wait ten minutes.`,
    { retryAfterSeconds: 60 },
  );
}
