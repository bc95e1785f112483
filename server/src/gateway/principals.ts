import type { KeyTable } from './key-table.ts';
import type { MemberTable } from './member-table.ts';
import {
  type Holder,
  type Principal,
  principalOfKey,
  principalOfMember,
  principalOfServiceAccount,
} from './principal.ts';

export interface KnownPrincipal {
  readonly principal: Principal;
  /** Milliseconds since 1970; infinity for a credential without an end. */
  readonly expiresAt: number;
}

/** Who credentials stand for, from memory alone. Keep no answer beyond its `generation`. */
export interface Principals {
  /** By SHA-256 of the key, base64. A key whose holder is gone is not found. */
  ofKey(hash: string): KnownPrincipal | undefined;
  ofMember(workspace: string, account: string): Principal | undefined;
  ofServiceAccount(workspace: string, id: string): Principal | undefined;
  /** The identity providers that a member must have signed in by; null when the way does not matter. */
  onlyBy(workspace: string, account: string): readonly string[] | null;
  /** The workspaces of which an account is a member. */
  workspacesOf(account: string): readonly string[];
  /** Changes whenever anybody's rights may have changed. */
  readonly generation: number;
}

export function createPrincipals(keys: KeyTable, members: MemberTable): Principals {
  return {
    // Both only grow, so their sum says whether one of them moved.
    get generation() {
      return keys.generation + members.generation;
    },
    ofKey(hash) {
      const known = keys.find(hash);
      if (!known) return undefined;
      const { row, expiresAt } = known;
      const belongs = row.member !== undefined || row.service_account !== undefined;
      const holder = belongs ? holderOf(members, row) : undefined;
      if (belongs && !holder) return undefined;
      return { principal: principalOfKey(row, members.permissionsOf(row.workspace, row.role), holder), expiresAt };
    },
    ofMember(workspace, account) {
      const row = members.member(workspace, account);
      return row && principalOfMember(row, members.permissionsOf(workspace, row.role));
    },
    ofServiceAccount(workspace, id) {
      const row = members.serviceAccount(workspace, id);
      return row && principalOfServiceAccount(row, members.permissionsOf(workspace, row.role));
    },
    onlyBy: (workspace, account) => members.member(workspace, account)?.only_by ?? null,
    workspacesOf: (account) => members.workspacesOf(account),
  };
}

function holderOf(
  members: MemberTable,
  { workspace, member, service_account }: { workspace: string; member?: string; service_account?: string },
): Holder | undefined {
  const found =
    member === undefined
      ? members.serviceAccount(workspace, service_account as string)
      : members.member(workspace, member);
  if (!found) return undefined;
  const teams = 'teams' in found ? found.teams : [];
  return { role: found.role, permissions: members.permissionsOf(workspace, found.role), teams };
}
