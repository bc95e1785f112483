import { randomBytes } from 'node:crypto';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import { noWorkspace } from '#platform/system-context.ts';
import { signInRefused } from './create-login-session.ts';

/** Milliseconds in which a challenge can be answered. */
const lifetime = 300_000;

export interface Challenge {
  readonly challenge: string;
  readonly expiresAt: number;
}

/** What a challenge is for; an answer to another purpose, account or page is refused. */
export interface Purpose {
  readonly act: 'add' | 'signIn';
  readonly origin: string;
  readonly account?: string;
}

type Parts = { readonly cursors: Cursors; readonly clock: Clock };

const scopeOf = ({ act, origin, account }: Purpose) => ({
  list: 'passkey challenge',
  workspace: noWorkspace,
  filter: JSON.stringify([act, origin, account ?? null]),
});

/** A challenge that the caller brings back, signed: asking for one leaves no row, so nobody can fill a table. */
export function newChallenge(
  { cursors, clock }: Parts,
  purpose: Purpose,
): { bytes: Uint8Array<ArrayBuffer>; state: string } {
  const bytes = new Uint8Array(randomBytes(32));
  const text = Buffer.from(bytes).toString('base64url');
  return { bytes, state: cursors.encode(scopeOf(purpose), [text, String(clock.now() + lifetime)]) };
}

/** Errors: `sign_in_refused` for one that is not ours, is for something else or is over. */
export function openChallenge({ cursors, clock }: Parts, purpose: Purpose, state: string): Challenge {
  let parts: string[];
  try {
    parts = cursors.decode(scopeOf(purpose), state);
  } catch {
    throw signInRefused();
  }
  const [challenge = '', until] = parts;
  const expiresAt = Number(until);
  if (!(expiresAt > clock.now())) throw signInRefused();
  return { challenge, expiresAt };
}
