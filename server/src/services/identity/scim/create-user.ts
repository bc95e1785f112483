import type { ScimUser } from '@damask/contracts/scim.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { enterWorkspace, insertAccount } from '../login/login-store.ts';
import { insertMember, removeMember } from '../member/member-store.ts';
import { requireWholeReach } from '../role/pass-on-role.ts';
import { readRoleMap } from './directory-role.ts';
import { endPerson, restorePerson } from './end-person.ts';
import { mostUsers } from './read-page.ts';
import { readScimBody } from './read-scim-body.ts';
import { scimUserForm } from './read-users.ts';
import * as store from './scim-user-store.ts';
import { readUserProfile, type UserProfile } from './user-profile.ts';

const addressForm = /^[^\s@]{1,64}@[^\s@]{1,255}$/;

/**
 * An account with a membership. Whoever the directory deleted before comes back as the same account. No sign-in is
 * connected with it: who it is shows when the identity provider names them by this externalId.
 * Errors: `already_exists`, `policy_refused`, `invalid_request`.
 */
export async function createScimUser(parts: IdentityParts, context: CallContext): Promise<ScimUser> {
  const { database, clock, trail, publicUrl } = parts;
  const { workspace } = context;
  requireWholeReach(context);
  const profile = readUserProfile(readScimBody(context));
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    await store.lockDirectory(transaction, workspace);
    if (await store.isUserNameTaken(transaction, profile.userName)) throw nameTaken();
    const known = await store.findDeleted(transaction, profile);
    const account = known ?? (await addAccount(parts, transaction, workspace, profile));
    if (!known) {
      // As somebody who had left: what follows is the same for those who come back.
      const role = (await readRoleMap(transaction)).roleOf([]);
      const now = clock.now();
      await insertMember(transaction, { workspace, account, role, source: 'scim', createdBy: null, now });
      await removeMember(transaction, account, now);
    }
    await store.saveUser(transaction, { workspace, account, profile, now: clock.now() });
    if (profile.active) await restorePerson(parts, transaction, context, account);
    else await endPerson(parts, transaction, context, account);
    await trail.leave(transaction, context, {
      action: 'createScimUser',
      subject: `member/${account}`,
      details: { active: profile.active, again: known !== undefined },
      event: 'identity.scim-user-put',
      data: { account, active: profile.active },
    });
    return scimUserForm(transaction, account, publicUrl);
  });
}

async function addAccount(
  { clock }: IdentityParts,
  transaction: Transaction,
  workspace: string,
  profile: UserProfile,
): Promise<string> {
  if ((await store.countMembers(transaction, mostUsers)) >= mostUsers) throw tooMany();
  const { displayName, formattedName, givenName, familyName, userName, emails } = profile;
  const parted = [givenName, familyName].filter((part) => part !== null).join(' ');
  const name = (displayName ?? formattedName ?? (parted === '' ? userName : parted)).slice(0, 100);
  const address = (emails.find(({ primary }) => primary) ?? emails[0])?.value ?? userName;
  const account = clock.uuid();
  await enterWorkspace(transaction, null);
  await insertAccount(transaction, {
    id: account,
    name,
    email: addressForm.test(address) ? address : null,
    emailVerified: false,
    directory: workspace,
    now: clock.now(),
  });
  await enterWorkspace(transaction, workspace);
  return account;
}

export function nameTaken(): AppError {
  return new AppError('already_exists', 'Somebody in this workspace has this userName. Find them by a filter.', {
    pointer: '/userName',
  });
}

function tooMany(): AppError {
  return new AppError('policy_refused', `A workspace has ${mostUsers} members at most, those who left included.`);
}
