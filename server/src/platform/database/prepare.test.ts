import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import pg from 'pg';
import { type TestDatabase, testDatabase } from '../testing/postgres.ts';
import { prepareDatabase } from './prepare.ts';

const services = ['pattern', 'identity'];
let database: TestDatabase;
let admin: pg.Client;
let user: string;

beforeEach(async () => {
  database = await testDatabase();
  admin = new pg.Client(database.connection);
  await admin.connect();
  user = `${database.name}_operator`;
});
afterEach(async () => {
  await admin.query(`reassign owned by ${user} to current_user`);
  await admin.query(`drop owned by ${user}`);
  await admin.end();
  await database.drop();
});

const ordinary = async (attributes: string) => {
  await admin.query(`create role ${user} login ${attributes}`);
  await admin.query(`grant create on database ${database.name} to ${user}`);
};
const prepare = async () => {
  const { roles } = await prepareDatabase({ connection: { ...database.connection, user }, services });
  return roles.name('owner') !== null;
};
/** As a migration would: the first table says who owns them all. */
const makeTable = async () => {
  const client = new pg.Client({ ...database.connection, user });
  await client.connect();
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [`${database.name}_owner`]);
  if (rowCount) await client.query(`set role ${database.name}_owner`);
  await client.query('create table platform.migration ()');
  await client.end();
};
const mayUse = async (role: string, schema: string) =>
  (await admin.query(`select has_schema_privilege($1, $2, 'usage') as may`, [`${database.name}_${role}`, schema]))
    .rows[0].may;

for (const attributes of ['createrole', 'createrole noinherit']) {
  test(`a user with ${attributes} gives each service a role that reaches its own schema, start after start`, async () => {
    await ordinary(attributes);
    for (let start = 0; start < 2; start++) assert.equal(await prepare(), true);
    assert.equal(await mayUse('pattern', 'pattern'), true);
    assert.equal(await mayUse('pattern', 'platform'), true);
    assert.equal(await mayUse('pattern', 'identity'), false);
  });
}

test('a database stays as it was made: with one role, also when its user may make roles later', async () => {
  await ordinary('');
  assert.equal(await prepare(), false);
  await makeTable();
  await admin.query(`alter role ${user} createrole`);
  assert.equal(await prepare(), false);
});

test('a database stays as it was made: with separate roles, also when its user may make none any more', async () => {
  await ordinary('createrole');
  assert.equal(await prepare(), true);
  await makeTable();
  await admin.query(`alter role ${user} nocreaterole`);
  await admin.query(`revoke create on database ${database.name} from ${user}`);
  assert.equal(await prepare(), true);
  await admin.query(`revoke ${database.name}_journal from ${user} cascade`);
  await assert.rejects(prepare(), /no member of t_\w+_journal\. Make these roles/);
});

test('a role that a newer version needs is made at its next start', async () => {
  await ordinary('createrole');
  assert.equal(await prepare(), true);
  await makeTable();
  const role = `${database.name}_worker`;
  await admin.query(`drop owned by ${role}`);
  await admin.query(`drop role ${role}`);
  assert.equal(await prepare(), true);
  assert.equal(await mayUse('worker', 'pattern'), true);
});

test('a user that passes over row-level security is refused where nothing else keeps workspaces apart', async () => {
  await ordinary('bypassrls');
  await assert.rejects(prepare(), /BYPASSRLS/);
});
