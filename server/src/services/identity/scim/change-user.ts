import { isDeepStrictEqual } from 'node:util';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { ScimUser, scimOperations } from '@damask/contracts/scim.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireWholeReach } from '../role/pass-on-role.ts';
import { nameTaken } from './create-user.ts';
import { profileOf } from './describe-user.ts';
import { endPerson, restorePerson } from './end-person.ts';
import { parsePatch } from './parse-patch.ts';
import { readScimBody } from './read-scim-body.ts';
import { scimUserForm } from './read-users.ts';
import * as store from './scim-user-store.ts';
import { changeUserProfile, readUserProfile, type UserProfile } from './user-profile.ts';

type Contract = typeof scimOperations;
type Row = store.ScimUserRow;

/** Errors: `not_found`, `already_exists`, `policy_refused` for the last owner, `invalid_request`. */
export async function replaceScimUser(
  parts: IdentityParts,
  context: CallContext,
  { user }: InputOf<Contract['replaceScimUser']>,
): Promise<ScimUser> {
  const body = readScimBody(context);
  return change(parts, context, user, 'replaceScimUser', (row) => readUserProfile(body, row.active));
}

/** Errors: those of `replaceScimUser`. All changes happen or none. */
export async function patchScimUser(
  parts: IdentityParts,
  context: CallContext,
  { user }: InputOf<Contract['patchScimUser']>,
): Promise<ScimUser> {
  const changes = parsePatch(readScimBody(context));
  return change(parts, context, user, 'patchScimUser', (row) => changeUserProfile(profileOf(row), changes));
}

/** Errors: `not_found`, `policy_refused` for the last owner. */
export async function deleteScimUser(
  parts: IdentityParts,
  context: CallContext,
  { user }: InputOf<Contract['deleteScimUser']>,
): Promise<Record<string, never>> {
  const { clock, trail } = parts;
  await inDirectory(parts, context, user, async (transaction, row) => {
    const { workspace } = context;
    // Also of somebody whom the directory had never named: it must be known who does not come back.
    const profile = { ...profileOf(row), active: false };
    await store.saveUser(transaction, { workspace, account: user, profile, now: clock.now() });
    await endPerson(parts, transaction, context, user);
    await store.markDeleted(transaction, user, clock.now());
    await trail.leave(transaction, context, {
      action: 'deleteScimUser',
      subject: `member/${user}`,
      event: 'identity.scim-user-deleted',
      data: { account: user },
    });
  });
  return {};
}

async function change(
  parts: IdentityParts,
  context: CallContext,
  user: string,
  action: string,
  profileFrom: (row: Row) => UserProfile,
): Promise<ScimUser> {
  return inDirectory(parts, context, user, async (transaction, row) => {
    await save(parts, transaction, context, { row, profile: profileFrom(row), action });
    return scimUserForm(transaction, user, parts.publicUrl);
  });
}

async function inDirectory<Result>(
  { database }: IdentityParts,
  context: CallContext,
  user: string,
  work: (transaction: Transaction, row: Row) => Promise<Result>,
): Promise<Result> {
  const { workspace } = context;
  requireWholeReach(context);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    await store.lockDirectory(transaction, workspace);
    const row = await store.findUser(transaction, user);
    if (!row) throw notFound();
    return work(transaction, row);
  });
}

async function save(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { row, profile, action }: { row: Row; profile: UserProfile; action: string },
): Promise<void> {
  const { clock, trail } = parts;
  const { workspace } = context;
  const account = row.id;
  // Said again that somebody is gone, others with an address of theirs may have come meanwhile.
  if (profile.active && isDeepStrictEqual(profile, profileOf(row))) return;
  if (await store.isUserNameGiven(transaction, profile.userName, account)) throw nameTaken();
  // Before the addresses change: who had the old one goes too.
  const others = profile.active ? [] : await store.findSamePerson(transaction, account);
  await store.saveUser(transaction, { workspace, account, profile, now: clock.now() });
  if (!profile.active) await endPerson(parts, transaction, context, account, others);
  else if (!row.active) await restorePerson(parts, transaction, context, account);
  await trail.leave(transaction, context, {
    action,
    subject: `member/${account}`,
    details: { active: profile.active, before: row.active },
    event: 'identity.scim-user-put',
    data: { account, active: profile.active },
  });
}
