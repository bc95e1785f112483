import type { invitationOperations } from '@damask/contracts/invitation.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { checkName } from '../check-name.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findKey } from '../key-store.ts';
import { mintSecret } from '../login/mint-secret.ts';
import { checkRolePassedOn, requireWholeReach } from '../role/pass-on-role.ts';
import * as store from './invitation-store.ts';
import { showStored } from './list-invitations.ts';

type IssueInvitation = typeof invitationOperations.issueInvitation;

const day = 86_400_000;
const usual = 7 * day;
const longest = 30 * day;
/** How long those that ended stay to be seen. */
const kept = 90 * day;

export const mostOpen = 1_000;

/**
 * Nobody invites with a role that holds more than they do, and an invitation lasts no longer than the key that made it.
 * Errors: `forbidden`, `not_found` for an unknown role, `invalid_request`, `policy_refused` at the limit.
 */
export async function issueInvitation(
  parts: IdentityParts,
  context: CallContext,
  input: InputOf<IssueInvitation>,
): Promise<OutputOf<IssueInvitation>> {
  const { database, clock, trail } = parts;
  const { workspace, actor } = context;
  const { role, email = null } = input;
  const name = input.name?.trim() ?? null;
  if (input.name !== undefined) checkName(input.name);
  requireWholeReach(context);
  if (actor.kind === 'system') throw nobody();
  const { kind: inviter, id: createdBy } = actor;
  const now = clock.now();
  const asked = readExpiry(input.expires_at, now);
  const { secret, hash } = mintSecret('dmi');
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    await checkRolePassedOn(transaction, context, role);
    const expiresAt = await boundByKey(transaction, context, asked ?? now + usual, asked !== undefined);
    await store.sweepInvitations(transaction, now - kept);
    if ((await store.countOpen(transaction, now, mostOpen)) >= mostOpen) throw tooMany();
    const id = clock.uuid();
    const about = { workspace, id, hash, email, name, role, createdBy, inviter, now, expiresAt };
    const invitation = showStored(await store.insertInvitation(transaction, about));
    await trail.leave(transaction, context, {
      action: 'createInvitation',
      subject: `invitation/${id}`,
      details: { role, expires_at: invitation.expires_at },
      event: 'identity.invitation-created',
      data: { invitation: id, role },
    });
    return { invitation, secret };
  });
}

function readExpiry(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  // As with keys: RFC 3339 allows letters in lower case, which Date does not read.
  const time = Date.parse(text.toUpperCase());
  if (time > now && time <= now + longest) return time;
  const why = time > now ? 'An invitation lasts thirty days at most.' : 'expires_at is over already.';
  throw new AppError('invalid_request', `${why} Name an earlier or later time, or leave it out for seven days.`, {
    pointer: '/expires_at',
  });
}

async function boundByKey(
  transaction: Transaction,
  { actor }: CallContext,
  time: number,
  told: boolean,
): Promise<number> {
  const key = actor.kind === 'key' ? await findKey(transaction, actor.id) : undefined;
  const end = key?.expires_at == null ? Number.POSITIVE_INFINITY : Date.parse(key.expires_at);
  if (time <= end) return time;
  if (!told) return end;
  throw new AppError(
    'invalid_request',
    `The key that invites ends before that, at ${key?.expires_at}, and its invitations with it. Name an earlier time.`,
    { pointer: '/expires_at' },
  );
}

function nobody(): AppError {
  return new AppError('forbidden', 'Only somebody of the workspace invites to it. Use a key or sign in.', {
    need: 'member:write',
  });
}

function tooMany(): AppError {
  return new AppError(
    'policy_refused',
    `There are ${mostOpen} open invitations, the most there may be. Revoke those that nobody will accept, then try again.`,
  );
}
