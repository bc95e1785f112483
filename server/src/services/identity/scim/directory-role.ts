import type { RoleRef } from '@damask/contracts/permissions.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { hasOtherOwner, listKeysOf } from '../key-store.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { lockMember, setMemberRole } from '../member/member-store.ts';
import { hasRole } from '../oidc/person-store.ts';
import { listProviders, type ProviderRow } from '../oidc/provider-store.ts';
import { roleOfGroups } from '../oidc/role-of-groups.ts';
import { permissionsOfRole } from '../role/pass-on-role.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import { lastOwner } from './end-membership.ts';
import { groupNamesOf } from './scim-group-store.ts';

const mostProviders = 50;

/** What an identity provider of the workspace makes of groups; the first one that names a group has the word. */
export interface RoleMap {
  /** Whether it names this group. */
  names(group: readonly string[]): boolean;
  roleOf(groups: readonly string[]): RoleRef;
}

/** As sign-ins by OpenID Connect read it. Roles that are gone give nothing. */
export async function readRoleMap(transaction: Transaction): Promise<RoleMap> {
  const providers: Pick<ProviderRow, 'roles' | 'default_role'>[] = [];
  const held = new Map<string, boolean>();
  const isThere = async (role: RoleRef) => {
    const known = held.get(role) ?? (await hasRole(transaction, role));
    held.set(role, known);
    return known;
  };
  for (const { roles, default_role } of await listProviders(transaction, { after: null, limit: mostProviders })) {
    const live = [];
    for (const one of roles) if (await isThere(one.role)) live.push(one);
    providers.push({
      roles: live,
      default_role: default_role !== null && (await isThere(default_role)) ? default_role : null,
    });
  }
  return {
    names: (group) => providers.some(({ roles }) => roles.some((one) => group.includes(one.group))),
    roleOf(groups) {
      for (const { roles } of providers) {
        const role = roleOfGroups({ roles, default_role: null }, groups);
        if (role !== null) return role;
      }
      return providers.find(({ default_role }) => default_role !== null)?.default_role ?? 'viewer';
    },
  };
}

/**
 * Gives members whom the directory made the role of their groups; those who signed in by a provider have theirs from
 * there. Errors: `policy_refused` where nobody would be left to own the workspace.
 */
export async function applyRoles(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  accounts: readonly string[],
): Promise<void> {
  if (accounts.length === 0) return;
  const { workspace } = context;
  const map = await readRoleMap(transaction);
  const people = await groupNamesOf(transaction, accounts);
  let changed = false;
  for (const { account, role: before, names } of people) {
    const role = map.roleOf(names);
    if (role === before) continue;
    const now = clock.now();
    if (!(await lockMember(transaction, account))) continue;
    if (before === 'owner' && !(await hasOtherOwner(transaction, account, now))) throw lastOwner();
    await trail.look(transaction, `member/${account}`);
    await setMemberRole(transaction, account, role);
    await trail.leave(transaction, context, {
      action: 'changeMember',
      subject: `member/${account}`,
      details: { role, before, by: 'scim' },
      event: 'identity.member-changed',
      data: { account, role },
    });
    const held = await permissionsOfRole(transaction, before).catch(() => []);
    if (stopsRuns(held, await permissionsOfRole(transaction, role))) {
      await stopActors(transaction, clock, context, [account, ...(await listKeysOf(transaction, account))]);
    }
    await endLoginSessions(transaction, { account, workspace, now });
    changed = true;
  }
  if (changed) await bumpTopic(transaction, membersTopic);
}
