import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import type { MemberTableRow } from '@damask/contracts/member.ts';
import type { Permission, RoleRef } from '@damask/contracts/permissions.ts';
import type { ServiceAccountTableRow } from '@damask/contracts/service-account.ts';
import { type Actor, everywhere, type Reach } from '#platform/call.ts';
import { noWorkspace } from '#platform/system-context.ts';

/** Who sends a request, in which workspace, and what that one may do there. */
export interface Principal {
  readonly workspace: string;
  readonly actor: Actor;
  readonly permissions: ReadonlySet<Permission>;
  readonly reach: Reach;
}

/** Who needs no credential. */
export const anyone: Principal = {
  workspace: noWorkspace,
  actor: { kind: 'system', id: 'anyone', name: 'anyone', role: 'viewer' },
  permissions: new Set(),
  reach: everywhere,
};

export interface Holder {
  readonly role: RoleRef;
  readonly permissions: ReadonlySet<Permission>;
  readonly teams: readonly string[];
}

/** A key as it is now: what its role holds, narrowed to its scopes and to what its holder still holds. */
export function principalOfKey(row: KeyTableRow, held: ReadonlySet<Permission>, holder: Holder | undefined): Principal {
  const { id, workspace, name, role, scopes, patterns, environments, requests_per_minute, member } = row;
  const narrowed = scopes !== undefined || holder !== undefined;
  const permissions = narrowed
    ? new Set([...held].filter((one) => (scopes?.includes(one) ?? true) && (holder?.permissions.has(one) ?? true)))
    : held;
  // Being an owner is more than its permissions of today: a key is none whose holder is none any more.
  const roleNow = role === 'owner' && holder && holder.role !== 'owner' ? holder.role : role;
  return {
    workspace,
    actor: {
      kind: 'key',
      id,
      name,
      role: roleNow,
      ...(member === undefined ? {} : { account: member }),
      ...(row.service_account === undefined ? {} : { serviceAccount: row.service_account }),
    },
    permissions,
    reach: {
      patterns: patterns ?? null,
      environments: environments ?? null,
      teams: holder?.teams ?? [],
      requestsPerMinute: requests_per_minute ?? null,
    },
  };
}

export function principalOfMember(
  { workspace, account, name, role, teams }: MemberTableRow,
  permissions: ReadonlySet<Permission>,
): Principal {
  return {
    workspace,
    actor: { kind: 'member', id: account, name, role, account },
    permissions,
    reach: { ...everywhere, teams },
  };
}

export function principalOfServiceAccount(
  { workspace, id, name, role }: ServiceAccountTableRow,
  permissions: ReadonlySet<Permission>,
): Principal {
  return {
    workspace,
    actor: { kind: 'service_account', id, name, role, serviceAccount: id },
    permissions,
    reach: everywhere,
  };
}
