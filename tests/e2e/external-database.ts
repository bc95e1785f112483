import assert from 'node:assert/strict';
import pg from 'pg';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { type TestDatabase, testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { createCaller, makeHome, readKey, startServer } from './server-process.ts';

const tables = ['pattern.finished', 'pattern.accepted', 'pattern.pattern', 'identity.api_key', 'identity.workspace'];

/** What the login itself sees, whatever it claims to be, when it names no workspace. */
async function countRows(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `select rolname from pg_roles where pg_has_role(oid, 'MEMBER') and rolname ~ '_owner$'`,
  );
  if (rows[0]) await client.query(`set role "${rows[0].rolname}"`);
  const counts: number[] = [];
  for (const table of tables) counts.push(Number((await client.query(`select count(*) from ${table}`)).rows[0].count));
  await client.end();
  return counts;
}

async function drop(database: TestDatabase, admin: pg.Client, user: string) {
  await admin.query(`reassign owned by ${user} to current_user`);
  await admin.query(`drop owned by ${user}`);
  await admin.end();
  await database.drop();
}

/** Starts the platform twice on the database of a user with these attributes, and looks for what others may see. */
export async function runOnDatabaseOf(attributes: string): Promise<void> {
  const model = await startModelServer();
  const database = await testDatabase();
  const user = `${database.name}_operator`;
  const admin = new pg.Client(database.connection);
  await admin.connect();
  await admin.query(`create role ${user} login ${attributes}`);
  await admin.query(`grant create on database ${database.name} to ${user}`);
  const url = database.url.replace('damask@', `${user}@`);
  const home = await makeHome();
  try {
    for (const run of [1, 2]) {
      const server = startServer(home, { environment: { DAMASK_DATABASE_URL: url, OPENAI_BASE_URL: model.url } });
      const { url: address = '', instance = '' } = await server.event('ready');
      const call = createCaller(address, await readKey(home, instance));
      const made = await call('POST', '/v1/runs', { pattern: 'summarize', input: 'x', model: 'openai/test' });
      assert.equal(made.status, 200, JSON.stringify(made.body));
      assert.deepEqual((await call('GET', `/v1/runs/${made.body.id}`)).body, made.body);
      assert.equal((await call('GET', '/v1/runs')).body.items.length, run);
      assert.equal((await call('POST', '/v1/keys', { name: 'x', role: 'viewer' })).status, 201);
      assert.deepEqual(
        await countRows(url),
        tables.map(() => 0),
      );
      assert.equal(await server.stop(), 0);
      assert.doesNotMatch(server.log(), /"level":"(warn|error)"/);
    }
  } finally {
    await model.close();
    await drop(database, admin, user);
    await home.remove();
  }
}
