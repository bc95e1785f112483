import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { startTestCluster } from './test-cluster.ts';

export interface TestDatabase {
  readonly name: string;
  /** Options for `pg`, as superuser. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
    readonly ssl: false;
  };
  /** The same as an address, as in DAMASK_DATABASE_URL. */
  readonly url: string;
  /** Ends all connections and removes the database and the roles whose names begin with its name. */
  drop(): Promise<void>;
}

/** Where a run's shared cluster listens. Read here and not in config.ts: it exists in tests only. */
export const socketVariable = 'DAMASK_TEST_POSTGRES';

let socketDirectory: Promise<string> | undefined;

/**
 * A new empty database on a real PostgreSQL 18, in about 50 ms. Under `npm test` all files share one cluster; a file run by hand
 * (`node --test x.test.ts`) starts one of its own, which ends with the process. It does not sync to disk: tests of durability
 * start their own with `startPostgres`.
 *
 *     const database = await testDatabase();
 *     after(() => database.drop());
 *     const pool = new pg.Pool(database.connection);
 */
export async function testDatabase(): Promise<TestDatabase> {
  socketDirectory ??= findCluster();
  const host = await socketDirectory;
  const name = `t_${randomBytes(6).toString('hex')}`;
  const connection = { host, port: 5432, user: 'damask', database: name, ssl: false } as const;
  await asSuperuser(host, (client) => client.query(`create database ${name} template template0 strategy file_copy`));
  return {
    name,
    connection,
    url: `postgres://${connection.user}@${encodeURIComponent(host)}:${connection.port}/${name}`,
    drop: () => asSuperuser(host, (client) => dropAll(client, name)),
  };
}

async function findCluster(): Promise<string> {
  return process.env[socketVariable] ?? (await startTestCluster()).socketDirectory;
}

async function asSuperuser(host: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ host, port: 5432, user: 'damask', database: 'postgres', ssl: false });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function dropAll(client: pg.Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${name} with (force)`);
  const roles = await client.query<{ rolname: string }>('select rolname from pg_roles where starts_with(rolname, $1)', [
    `${name}_`,
  ]);
  for (const { rolname } of roles.rows) await client.query(`drop role "${rolname}"`);
}
