import { setImmediate as letOthersRun } from 'node:timers/promises';
import { historyOperations } from '@damask/contracts/history.ts';
import { patternOperations } from '@damask/contracts/pattern.ts';
import { rolePermissions } from '@damask/contracts/permissions.ts';
import { strategyOperations } from '@damask/contracts/strategy.ts';
import { transferOperations } from '@damask/contracts/transfer.ts';
import pg from 'pg';
import { type CallContext, type Client, everywhere } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createCursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import { createEgress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import { openDoor } from '#platform/rpc/door.ts';
import { systemContext } from '#platform/system-context.ts';
import { migratedDatabase } from '#platform/testing/migrated-database.ts';
import { createTrail } from '#platform/trail.ts';
import { createImportPlanner } from '../transfer/import-planner.ts';
import { createTransferOperations } from '../transfer/transfer-operations.ts';
import type { TransferParts } from '../transfer/transfer-parts.ts';
import { createLibraryOperations } from './library-operations.ts';

export interface Left {
  readonly audit: { action: string; subject: string; details: object }[];
  readonly events: { name: string; data: object }[];
}

export interface LibraryForTests {
  readonly library: Client<
    typeof patternOperations & typeof historyOperations & typeof strategyOperations & typeof transferOperations
  >;
  readonly parts: TransferParts;
  readonly database: Database;
  readonly log: Log;
  readonly connection: pg.ClientConfig;
  /** An owner's call in one of two workspaces, with a request id of its own. */
  alpha(): CallContext;
  beta(): CallContext;
  /** What one request left in its workspace, read behind the service's back. */
  leftBy(context: CallContext): Promise<Left>;
  /** How often the topic `pattern.library` has moved. */
  topic(): Promise<number>;
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

const migrations = new URL('../migrations', import.meta.url).pathname;

/** The library on a database of its own, entered through the service's door, with everything checked against the contract. */
export async function libraryForTests(): Promise<LibraryForTests> {
  const { database, log, connection, drop } = await migratedDatabase({ pattern: decodeURIComponent(migrations) });
  const clock = systemClock;
  const egress = createEgress({ allow: ['127.0.0.1', 'localhost'], clock });
  const parts: TransferParts = {
    planner: createImportPlanner({ egress, clock }),
    egress,
    database,
    clock,
    log,
    cursors: createCursors(Buffer.alloc(32, 1)),
    trail: createTrail('pattern', clock),
    afterChange: async () => undefined,
  };
  const library = openDoor(
    { ...patternOperations, ...historyOperations, ...strategyOperations, ...transferOperations },
    { ...createLibraryOperations(parts), ...createTransferOperations(parts) },
    { copy: true, checkOutput: true },
  );
  const pool = new pg.Pool({ ...connection, max: 1 });
  pool.on('error', () => undefined);
  const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;
  const ownerOf = (name: string): (() => CallContext) => {
    const workspace = clock.uuid();
    const id = clock.uuid();
    return () => ({
      ...systemContext(clock),
      workspace,
      actor: { kind: 'key', id, name, role: 'owner' },
      permissions: new Set(rolePermissions.owner),
      reach: everywhere,
    });
  };

  return {
    library,
    parts,
    database,
    log,
    connection,
    alpha: ownerOf('alpha'),
    beta: ownerOf('beta'),
    async leftBy({ workspace, requestId }) {
      const values = [workspace, requestId];
      const where = 'where workspace = $1 and request_id = $2 order by id';
      return {
        audit: await sql(`select action, subject, details from pattern.audit ${where}`, values),
        events: await sql(`select name, data from pattern.outbox ${where}`, values),
      };
    },
    async topic() {
      const [row] = await sql<{ version: string }>(`select version from platform.topic where name = 'pattern.library'`);
      return Number(row?.version ?? 0);
    },
    sql,
    async stop() {
      await parts.planner.close();
      await egress.close();
      await pool.end();
      await drop();
    },
  };
}

/**
 * The longest time in ms for which `work` kept the event loop from turning. Counted in time of this thread on the processor, so
 * that other programs on the machine do not show.
 */
export async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const spent = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let last = spent();
  let done = false;
  const beat = (async () => {
    while (!done) {
      await letOthersRun();
      const now = spent();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  await work().finally(() => {
    done = true;
  });
  await beat;
  return longest;
}
