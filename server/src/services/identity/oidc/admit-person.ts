import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { holdInvitation, invitationRefused } from '../invitation/hold-invitation.ts';
import { joinWorkspace } from '../invitation/join-workspace.ts';
import { listKeysOf } from '../key-store.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { enterWorkspace, insertAccount } from '../login/login-store.ts';
import { findPermissions } from '../role/pass-on-role.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import { isTakenOut } from './is-taken-out.ts';
import type { Person } from './person-of-claims.ts';
import * as store from './person-store.ts';
import { countProviders, type ProviderRow } from './provider-store.ts';
import { roleOfGroups } from './role-of-groups.ts';

/**
 * The account of a person whom a provider vouches for: made at the first sign-in, as the membership is. An account is found
 * by issuer and subject, or as the directory's user of that id; an address never leads to one.
 * Errors: `sign_in_refused` for those who were removed, and those whom no group lets in. An invitation (its id) lets both
 * in, except those whom the directory took out; who is a member does not use it up.
 */
export async function admitPerson(
  parts: IdentityParts,
  context: CallContext,
  provider: ProviderRow,
  person: Person,
  invitation?: string,
): Promise<string> {
  const { database, clock } = parts;
  const { workspace } = provider;
  const admitted = await database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const known = await store.findAccountOf(transaction, provider.issuer, person.subject);
    await enterWorkspace(transaction, workspace);
    const here = known === undefined ? undefined : await store.findMember(transaction, known);
    const emails = person.email === null ? [] : [person.email];
    const asked = { subject: person.subject, emails, account: known ?? null };
    const listed = here && !here.removed ? [] : await store.findListed(transaction, asked);
    // Whom the directory has taken out does not come back as somebody new, or as somebody of another workspace.
    if (isTakenOut(listed)) return { refused: takenOut() };
    const found =
      known ?? (await unclaimed(transaction, provider, listed.find((one) => one.named && !one.removed)?.account));
    const member = found === undefined ? undefined : await store.findMember(transaction, found);
    const role = await roleFor(transaction, provider, person);
    const open = invitation !== undefined && (!member || member.removed);
    const held = open ? await holdInvitation(transaction, invitation, clock.now()) : undefined;
    if (held) {
      const account = await keepAccount(transaction, parts, provider, person, { found, isNew: known === undefined });
      const joining = { workspace, account, name: person.name, emails, provider: provider.id };
      await joinWorkspace(parts, transaction, context, { invitation: held, joining });
      // Who comes back begins anew: what they had opened before they were removed does not open it again.
      if (member) await endLoginSessions(transaction, { account, workspace, now: clock.now() });
      return { account };
    }
    const lost = open && (member || role === null);
    if (lost) return { refused: invitationRefused() };
    if (member?.removed) return { refused: removed() };
    if (role === null && (!member || member.source === 'oidc')) {
      // Out of every group by now: what they opened while they were in one ends, too.
      if (found)
        await endLoginSessions(transaction, { account: found, workspace: provider.workspace, now: clock.now() });
      return { refused: inNoGroup() };
    }
    const account = await keepAccount(transaction, parts, provider, person, { found, isNew: known === undefined });
    if (!member) await join(transaction, parts, context, provider, { account, role: role as NonNullable<typeof role> });
    else if (member.source === 'oidc' && role !== null && role !== member.role) {
      await parts.trail.look(transaction, `member/${account}`);
      await store.changeRole(transaction, account, role);
      // Another role begins with another session, however it came.
      await endLoginSessions(transaction, { account, workspace: provider.workspace, now: clock.now() });
      const before = (await findPermissions(transaction, member.role)) ?? [];
      if (stopsRuns(before, (await findPermissions(transaction, role)) ?? [])) {
        const stopped = [account, ...(await listKeysOf(transaction, account))];
        await stopActors(transaction, clock, { ...context, workspace: provider.workspace }, stopped);
      }
      await tell(transaction, parts, context, provider, { account, role, action: 'changeMemberRole' });
    }
    return { account };
  });
  if ('refused' in admitted) throw admitted.refused;
  return admitted.account;
}

// A role that is gone lets nobody in.
async function roleFor(transaction: Transaction, provider: ProviderRow, { groups }: Person) {
  const role = roleOfGroups(provider, groups);
  return role !== null && (await store.hasRole(transaction, role)) ? role : null;
}

/**
 * The account that the directory made for this person, whom it names as the provider does, until they sign in first. With
 * several providers nobody knows whose ids these are, and one must not let in as whom another means.
 */
async function unclaimed(
  transaction: Transaction,
  { workspace }: ProviderRow,
  account: string | undefined,
): Promise<string | undefined> {
  if (account === undefined || (await countProviders(transaction, 2)) > 1) return undefined;
  await enterWorkspace(transaction, null);
  const free = await store.isUnclaimed(transaction, account, workspace);
  await enterWorkspace(transaction, workspace);
  return free ? account : undefined;
}

async function keepAccount(
  transaction: Transaction,
  { clock }: IdentityParts,
  { issuer, workspace }: ProviderRow,
  { subject, name, email, emailVerified }: Person,
  { found, isNew }: { found: string | undefined; isNew: boolean },
): Promise<string> {
  await enterWorkspace(transaction, null);
  const account = found ?? clock.uuid();
  const now = clock.now();
  if (found) await store.refreshAccount(transaction, { id: found, name, email, emailVerified });
  else await insertAccount(transaction, { id: account, name, email, emailVerified, now });
  if (isNew && !(await store.insertIdentity(transaction, { issuer, subject, account, now }))) throw meanwhile();
  await enterWorkspace(transaction, workspace);
  return account;
}

async function join(
  transaction: Transaction,
  parts: IdentityParts,
  context: CallContext,
  provider: ProviderRow,
  { account, role }: { account: string; role: Parameters<typeof store.changeRole>[2] },
): Promise<void> {
  const { workspace } = provider;
  if (!(await store.insertMember(transaction, { workspace, account, role, now: parts.clock.now() }))) throw meanwhile();
  await tell(transaction, parts, context, provider, { account, role, action: 'addMember' });
}

async function tell(
  transaction: Transaction,
  { trail }: IdentityParts,
  context: CallContext,
  { workspace, name: provider }: ProviderRow,
  { account, role, action }: { account: string; role: string; action: string },
): Promise<void> {
  const actor = { kind: 'member', id: account, name: provider, role: 'viewer', account } as const;
  await trail.leave(
    transaction,
    { ...context, workspace, actor },
    {
      action,
      subject: `member/${account}`,
      details: { role, provider },
      event: 'identity.member-admitted',
      data: { account, role, provider },
    },
  );
  await bumpTopic(transaction, membersTopic);
}

function removed(): AppError {
  return new AppError('sign_in_refused', 'You were removed from this workspace. An admin can invite you again.');
}

function takenOut(): AppError {
  return new AppError(
    'sign_in_refused',
    "Your organisation's directory has taken you out of this workspace. Ask who looks after the directory.",
  );
}

function inNoGroup(): AppError {
  return new AppError(
    'sign_in_refused',
    'None of your groups at the provider lets you into this workspace. Ask an owner which group you need.',
  );
}

function meanwhile(): AppError {
  return new AppError('sign_in_refused', 'You signed in twice at the same time. Sign in once more.');
}
