import type { InputOf } from '@damask/contracts/operation.ts';
import type { ScimGroup, scimOperations } from '@damask/contracts/scim.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireWholeReach } from '../role/pass-on-role.ts';
import { describeGroup } from './describe-group.ts';
import { changeGroupProfile, type GroupProfile, readGroupProfile } from './group-profile.ts';
import { parsePatch } from './parse-patch.ts';
import { readScimBody } from './read-scim-body.ts';
import { applyGroups, mostMembers, saveGroupProfile } from './save-group.ts';
import * as store from './scim-group-store.ts';
import { lockDirectory } from './scim-user-store.ts';

type Contract = typeof scimOperations;

const mostGroups = 1_000;

/** Errors: `already_exists`, `policy_refused` at a limit, `invalid_request`. */
export async function createScimGroup(parts: IdentityParts, context: CallContext): Promise<ScimGroup> {
  const profile = readGroupProfile(readScimBody(context));
  return inDirectory(parts, context, async (transaction) => {
    if ((await store.countGroups(transaction, mostGroups)) >= mostGroups) throw tooMany();
    const id = parts.clock.uuid();
    await saveGroupProfile(parts, transaction, context, { id, before: null, profile, action: 'createScimGroup' });
    return groupForm(parts, transaction, id);
  });
}

/** Errors: `not_found`, `already_exists`, `policy_refused`, `invalid_request`. */
export async function replaceScimGroup(
  parts: IdentityParts,
  context: CallContext,
  { group: id }: InputOf<Contract['replaceScimGroup']>,
): Promise<ScimGroup> {
  const profile = readGroupProfile(readScimBody(context));
  return inDirectory(parts, context, async (transaction) => {
    const before = await lockGroup(transaction, id);
    await saveGroupProfile(parts, transaction, context, { id, before, profile, action: 'replaceScimGroup' });
    return groupForm(parts, transaction, id);
  });
}

/** Errors: those of `replaceScimGroup`. All changes happen or none. */
export async function patchScimGroup(
  parts: IdentityParts,
  context: CallContext,
  { group: id }: InputOf<Contract['patchScimGroup']>,
): Promise<Record<string, never>> {
  const changes = parsePatch(readScimBody(context));
  await inDirectory(parts, context, async (transaction) => {
    const before = await lockGroup(transaction, id);
    const profile = changeGroupProfile(before.profile, changes);
    await saveGroupProfile(parts, transaction, context, { id, before, profile, action: 'patchScimGroup' });
  });
  return {};
}

/** Errors: `not_found`, `policy_refused` where the last owner was one by it. */
export async function deleteScimGroup(
  parts: IdentityParts,
  context: CallContext,
  { group: id }: InputOf<Contract['deleteScimGroup']>,
): Promise<Record<string, never>> {
  await inDirectory(parts, context, async (transaction) => {
    const before = await lockGroup(transaction, id);
    await store.deleteGroup(transaction, id);
    const touched = [...before.profile.members];
    await applyGroups(parts, transaction, context, { touched, teams: [before.row.team] });
    await parts.trail.leave(transaction, context, {
      action: 'deleteScimGroup',
      subject: `scim-group/${id}`,
      details: { members: before.profile.members.size },
      event: 'identity.scim-group-deleted',
      data: { scim_group: id },
    });
  });
  return {};
}

async function inDirectory<Result>(
  { database }: IdentityParts,
  context: CallContext,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const { workspace } = context;
  requireWholeReach(context);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    await lockDirectory(transaction, workspace);
    return work(transaction);
  });
}

async function lockGroup(transaction: Transaction, id: string) {
  const row = await store.findGroup(transaction, id);
  if (!row) throw notFound();
  const members = await store.listGroupMembers(transaction, id, mostMembers);
  const profile: GroupProfile = {
    displayName: row.display_name,
    externalId: row.external_id,
    members: new Set(members.map(({ account }) => account)),
  };
  return { row, profile };
}

async function groupForm({ publicUrl }: IdentityParts, transaction: Transaction, id: string): Promise<ScimGroup> {
  const row = await store.findGroup(transaction, id);
  if (!row) throw notFound();
  return describeGroup(row, await store.listGroupMembers(transaction, id, mostMembers), publicUrl);
}

function tooMany(): AppError {
  return new AppError('policy_refused', `A workspace has ${mostGroups} groups of a directory at most.`);
}
