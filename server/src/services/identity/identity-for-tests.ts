import { identityOperations } from '@damask/contracts/identity.ts';
import { loginOperations } from '@damask/contracts/login.ts';
import { type Role, type RoleRef, rolePermissions } from '@damask/contracts/permissions.ts';
import pg from 'pg';
import { type CallContext, type Client, everywhere } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createCursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import { createEgress } from '#platform/egress/egress.ts';
import { openDoor } from '#platform/rpc/door.ts';
import { systemContext } from '#platform/system-context.ts';
import { migratedDatabase } from '#platform/testing/migrated-database.ts';
import { testKeys } from '#platform/testing/test-keys.ts';
import { createVault } from '#platform/vault.ts';
import { createIdentityService, identityMigrations } from './service.ts';

const operations = { ...identityOperations, ...loginOperations };

export interface Left {
  readonly audit: { action: string; subject: string; details: object; actor_id: string; request_id: string }[];
  readonly events: { name: string; data: object; request_id: string }[];
}

export interface IdentityForTests {
  readonly identity: Client<typeof operations>;
  readonly database: Database;
  /** Two workspaces; each context is that of an owner key. */
  readonly alpha: CallContext;
  readonly beta: CallContext;
  readonly system: CallContext;
  /** The same caller with a lower role. */
  as(context: CallContext, role: Role): CallContext;
  /** Makes a person a member of the workspace of this context. Answers the context of that person without a key. */
  join(context: CallContext, role: RoleRef, name?: string): Promise<CallContext>;
  /** Moves the service's clock forward. */
  pass(ms: number): void;
  /** What one request left in a workspace, read behind the service's back. */
  leftBy(context: CallContext): Promise<Left>;
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** The service on a database of its own, entered through its door, with everything checked against the contract. */
export async function identityForTests(
  options: { keyLimit?: number; publicUrl?: string /** Hosts that may be called. */; allow?: readonly string[] } = {},
): Promise<IdentityForTests> {
  const { allow = [], ...more } = options;
  const { database, log, connection, drop } = await migratedDatabase({ identity: identityMigrations });
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const cursors = createCursors(Buffer.alloc(32, 1));
  const keys = testKeys();
  const vault = createVault({ database, keys, process: clock.uuid(), clock, log });
  const egress = createEgress({ allow, clock });
  const service = createIdentityService({ database, clock, log, cursors, vault, keys, egress, ...more });
  const identity = openDoor(operations, service, { copy: true, checkOutput: true });
  const pool = new pg.Pool({ ...connection, max: 1 });
  pool.on('error', () => undefined);
  const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;

  const ownerOf = async (name: string): Promise<CallContext> => {
    const { workspace, owner_key } = await identity.createWorkspace(systemContext(clock), { name });
    return {
      ...systemContext(clock),
      workspace: workspace.id,
      actor: { kind: 'key', id: owner_key.id, name: owner_key.name, role: 'owner' },
      permissions: new Set(rolePermissions.owner),
      reach: everywhere,
    };
  };

  return {
    identity,
    database,
    alpha: await ownerOf('alpha'),
    beta: await ownerOf('beta'),
    system: systemContext(clock),
    as: (context, role) => ({
      ...context,
      requestId: clock.uuid(),
      actor: { ...context.actor, role },
      permissions: new Set(rolePermissions[role]),
    }),
    async join({ workspace, ...context }, role, name = 'Ada') {
      const id = clock.uuid();
      await sql('insert into identity.account (id, email, name, created_at) values ($1, $2, $3, now())', [
        id,
        `${name.toLowerCase()}@example.com`,
        name,
      ]);
      await sql(
        `insert into identity.member (workspace, account, role, source, created_at) values ($1, $2, $3, 'local', now())`,
        [workspace, id, role],
      );
      const held = role.startsWith('custom:') ? [] : rolePermissions[role as Role];
      return {
        ...context,
        workspace,
        requestId: clock.uuid(),
        actor: { kind: 'member', id, name, role, account: id },
        permissions: new Set(held),
      };
    },
    pass: (ms) => {
      ahead += ms;
    },
    async leftBy({ workspace, requestId }) {
      const values = [workspace, requestId];
      const where = 'where workspace = $1 and request_id = $2 order by id';
      return {
        audit: await sql(`select action, subject, details, actor_id, request_id from identity.audit ${where}`, values),
        events: await sql(`select name, data, request_id from identity.outbox ${where}`, values),
      };
    },
    sql,
    async stop() {
      await egress.close();
      await pool.end();
      await drop();
    },
  };
}
