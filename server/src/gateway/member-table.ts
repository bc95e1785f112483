import type { identityOperations } from '@damask/contracts/identity.ts';
import type { MemberTableRow } from '@damask/contracts/member.ts';
import { type Permission, type RoleRef, rolePermissions } from '@damask/contracts/permissions.ts';
import type { ServiceAccountTableRow } from '@damask/contracts/service-account.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { systemContext } from '#platform/system-context.ts';
import { readTable } from './read-table.ts';

type Reads = 'readMemberTable' | 'readRoleTable' | 'readServiceAccountTable';

/** Members, roles of workspaces and service accounts in memory. */
export interface MemberTable {
  /** Reads everything anew and puts it in place as a whole; when that fails, the last one stays. */
  load(): Promise<void>;
  /** What a role holds; nothing where there is no such role. */
  permissionsOf(workspace: string, role: RoleRef): ReadonlySet<Permission>;
  member(workspace: string, account: string): MemberTableRow | undefined;
  serviceAccount(workspace: string, id: string): ServiceAccountTableRow | undefined;
  /** The workspaces of which an account is a member. */
  workspacesOf(account: string): readonly string[];
  /** Changes whenever another table is put in place. */
  readonly generation: number;
}

interface Tables {
  readonly roles: Map<string, ReadonlySet<Permission>>;
  readonly members: Map<string, MemberTableRow>;
  readonly serviceAccounts: Map<string, ServiceAccountTableRow>;
  readonly workspaces: Map<string, string[]>;
}

const none: ReadonlySet<Permission> = new Set();
const builtIn = new Map<string, ReadonlySet<Permission>>(
  Object.entries(rolePermissions).map(([role, held]) => [role, new Set(held)]),
);
const newTables = (): Tables => ({
  roles: new Map(),
  members: new Map(),
  serviceAccounts: new Map(),
  workspaces: new Map(),
});

export function createMemberTable(options: {
  identity: Pick<Client<typeof identityOperations>, Reads>;
  clock: Clock;
}): MemberTable {
  const { identity, clock } = options;
  let tables = newTables();
  let generation = 0;
  let started = 0;

  return {
    get generation() {
      return generation;
    },
    async load() {
      const ticket = ++started;
      const read = newTables();
      const context = systemContext(clock);
      await readTable(context, identity.readRoleTable, ({ workspace, name, permissions }) => {
        read.roles.set(`${workspace} custom:${name}`, new Set(permissions));
      });
      await readTable(context, identity.readServiceAccountTable, (row) => {
        read.serviceAccounts.set(`${row.workspace} ${row.id}`, row);
      });
      await readTable(context, identity.readMemberTable, (row) => {
        read.members.set(`${row.workspace} ${row.account}`, row);
        const known = read.workspaces.get(row.account);
        if (known) known.push(row.workspace);
        else read.workspaces.set(row.account, [row.workspace]);
      });
      // Of two loads at once the later one knows more, whichever ends first.
      if (ticket < generation) return;
      tables = read;
      generation = ticket;
    },
    permissionsOf: (workspace, role) => builtIn.get(role) ?? tables.roles.get(`${workspace} ${role}`) ?? none,
    member: (workspace, account) => tables.members.get(`${workspace} ${account}`),
    serviceAccount: (workspace, id) => tables.serviceAccounts.get(`${workspace} ${id}`),
    workspacesOf: (account) => tables.workspaces.get(account) ?? [],
  };
}
