import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { applyRoles, readRoleMap } from './directory-role.ts';
import { ensureTeam } from './ensure-team.ts';
import { type GroupProfile, noSuchPerson } from './group-profile.ts';
import * as store from './scim-group-store.ts';

/** Members of one group. */
export const mostMembers = 5_000;
/** Teams travel with each call between processes, so those of one member must not become many. */
const mostTeamsOfMember = 20;

interface Saved {
  readonly id: string;
  readonly before: { readonly row: store.ScimGroupRow; readonly profile: GroupProfile } | null;
  readonly profile: GroupProfile;
  readonly action: string;
}

/**
 * Writes a group and what follows from it: the roles of its members where an identity provider names it, else the team
 * that is called as it. Errors: `already_exists`, `policy_refused`, `invalid_request` for unknown members.
 */
export async function saveGroupProfile(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { id, before, profile, action }: Saved,
): Promise<void> {
  const { clock, trail } = parts;
  const { workspace } = context;
  const { displayName: name, externalId, members } = profile;
  const now = clock.now();
  if (await store.isGroupNameTaken(transaction, name, id)) throw nameTaken();
  const was = before?.profile.members ?? new Set<string>();
  const joining = [...members].filter((account) => !was.has(account));
  const leaving = [...was].filter((account) => !members.has(account));
  await checkPeople(transaction, joining, members.size);
  const team = await teamFor(parts, transaction, context, profile);
  await store.saveGroup(transaction, { workspace, id, name, externalId, team, now });
  await store.removeGroupMembers(transaction, id, leaving);
  await store.addGroupMembers(transaction, { workspace, id, accounts: joining });
  const renamed = !before || before.profile.displayName !== name || before.profile.externalId !== externalId;
  const touched = renamed ? [...new Set([...was, ...members])] : [...joining, ...leaving];
  await applyGroups(parts, transaction, context, { touched, teams: [before?.row.team ?? null, team] });
  await trail.leave(transaction, context, {
    action,
    subject: `scim-group/${id}`,
    details: { name, team, joined: joining.length, left: leaving.length },
    event: 'identity.scim-group-put',
    data: { scim_group: id },
  });
}

async function checkPeople(transaction: Transaction, joining: readonly string[], size: number): Promise<void> {
  if (size > mostMembers) throw tooMany();
  if (joining.length === 0) return;
  const known = await store.peopleAmong(transaction, joining);
  if (joining.some((account) => !known.has(account))) throw noSuchPerson('/members');
}

/** Null for a group that gives a role, or whose name leaves nothing that a team could be called. */
async function teamFor(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { displayName, externalId }: GroupProfile,
): Promise<string | null> {
  const names = externalId === null ? [displayName] : [displayName, externalId];
  if ((await readRoleMap(transaction)).names(names)) return null;
  const team = displayName
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 100);
  if (team === '') return null;
  await ensureTeam(parts, transaction, context, team);
  return team;
}

/** Whoever joined or left groups gets the teams and the role that these give now. */
export async function applyGroups(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { touched, teams }: { touched: readonly string[]; teams: readonly (string | null)[] },
): Promise<void> {
  await applyTeams(transaction, { workspace: context.workspace, now: parts.clock.now(), touched, teams });
  await applyRoles(parts, transaction, context, touched);
}

async function applyTeams(
  transaction: Transaction,
  given: { workspace: string; now: number; touched: readonly string[]; teams: readonly (string | null)[] },
): Promise<void> {
  const { workspace, now, touched } = given;
  let changed = false;
  for (const team of new Set(given.teams)) {
    if (team !== null) changed = (await store.emptyTeam(transaction, team, touched)) || changed;
  }
  changed = (await store.fillTeams(transaction, { workspace, accounts: touched, now })) || changed;
  const crowded = await store.findCrowded(transaction, touched, mostTeamsOfMember);
  if (crowded !== undefined) throw tooManyTeams(crowded);
  if (changed) await bumpTopic(transaction, membersTopic);
}

function nameTaken(): AppError {
  return new AppError('already_exists', 'A group has this displayName. Find it by a filter.', {
    pointer: '/displayName',
  });
}

function tooMany(): AppError {
  return new AppError('policy_refused', `A group has ${mostMembers} members at most. Split it.`, {
    pointer: '/members',
  });
}

function tooManyTeams(account: string): AppError {
  return new AppError(
    'policy_refused',
    `A member is in ${mostTeamsOfMember} teams at most, and ${account} would be in more. Assign fewer groups.`,
    { pointer: '/members' },
  );
}
