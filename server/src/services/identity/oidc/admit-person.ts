import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { listKeysOf } from '../key-store.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { enterWorkspace, insertAccount } from '../login/login-store.ts';
import { findPermissions } from '../role/pass-on-role.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import type { Person } from './person-of-claims.ts';
import * as store from './person-store.ts';
import { countProviders, type ProviderRow } from './provider-store.ts';
import { roleOfGroups } from './role-of-groups.ts';

/**
 * The account of a person whom a provider vouches for: made at the first sign-in, as the membership is. An account is found
 * by issuer and subject, or as the directory's user of that id; an address never leads to one.
 * Errors: `sign_in_refused` for those who were removed, and those whom no group lets in.
 */
export async function admitPerson(
  parts: IdentityParts,
  context: CallContext,
  provider: ProviderRow,
  person: Person,
): Promise<string> {
  const { database, clock } = parts;
  const admitted = await database.transaction({ role: 'identity', workspace: null }, async (transaction) => {
    const known = await store.findAccountOf(transaction, provider.issuer, person.subject);
    await enterWorkspace(transaction, provider.workspace);
    const here = known === undefined ? undefined : await store.findMember(transaction, known);
    const listed = here ? [] : await store.findListed(transaction, person);
    // Whom the directory has taken out does not come back as somebody new, or as somebody of another workspace.
    if (isTakenOut(listed)) return { refused: removed() };
    const found =
      known ?? (await unclaimed(transaction, provider, listed.find((one) => one.named && !one.removed)?.account));
    const member = found === undefined ? undefined : await store.findMember(transaction, found);
    const role = await roleFor(transaction, provider, person);
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

// What the directory says of the id goes before what it says of the address, which others may have had before.
function isTakenOut(listed: readonly store.Listed[]): boolean {
  const named = listed.filter((one) => one.named);
  const said = named.length > 0 ? named : listed;
  return said.length > 0 && said.every((one) => one.removed);
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
  const taken = await store.hasIdentity(transaction, account);
  await enterWorkspace(transaction, workspace);
  return taken ? undefined : account;
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

function inNoGroup(): AppError {
  return new AppError(
    'sign_in_refused',
    'None of your groups at the provider lets you into this workspace. Ask an owner which group you need.',
  );
}

function meanwhile(): AppError {
  return new AppError('sign_in_refused', 'You signed in twice at the same time. Sign in once more.');
}
