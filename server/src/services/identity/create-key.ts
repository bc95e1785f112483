import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { addKey } from './add-key.ts';
import { boundKey } from './bound-key.ts';
import { checkName } from './check-name.ts';
import type { IdentityParts } from './identity-parts.ts';
import { countLiveKeys } from './key-store.ts';
import { mintKey } from './mint-key.ts';

type CreateKey = typeof identityOperations.createKey;

export async function createKey(
  parts: IdentityParts,
  context: CallContext,
  input: InputOf<CreateKey>,
): Promise<OutputOf<CreateKey>> {
  const { database, clock, keyLimit } = parts;
  const { name, role } = input;
  checkName(name);
  const expiresAt = readExpiry(input.expires_at, clock.now());
  const { secret, hash, prefix } = mintKey();
  const scope = { role: 'identity', workspace: context.workspace };
  const added = await database.transaction(scope, async (transaction) => {
    const bounds = await boundKey(transaction, context, input);
    if ((await countLiveKeys(transaction, clock.now(), keyLimit)) >= keyLimit) throw tooManyKeys(keyLimit);
    return addKey(parts, transaction, context, { action: 'createKey', name, role, hash, prefix, expiresAt, bounds });
  });
  return { ...added, key: secret };
}

function readExpiry(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  // The contract has checked the form; RFC 3339 allows a lower-case "t" and "z", which Date reads in upper case only.
  const time = Date.parse(text.toUpperCase());
  if (time > now) return time;
  throw new AppError('invalid_request', 'expires_at is over already. Name a time to come, or leave it out.', {
    pointer: '/expires_at',
  });
}

function tooManyKeys(limit: number): AppError {
  return new AppError(
    'policy_refused',
    `The workspace has ${limit} live keys, the most it may have. Revoke those that nobody uses, then try again.`,
  );
}
