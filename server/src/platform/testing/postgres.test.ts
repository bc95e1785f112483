import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { testDatabase } from './postgres.ts';

test('a test database is empty, reachable by options and by address, and goes with its roles', async () => {
  const database = await testDatabase();
  const pool = new pg.Pool({ ...database.connection, max: 1 });
  pool.on('error', () => {});
  after(() => pool.end());
  const { rows } = await pool.query(`select current_database() as name, datlocprovider as provider, datlocale as locale,
    pg_encoding_to_char(encoding) as encoding, (select rolsuper from pg_roles where rolname = current_user) as super
    from pg_database where datname = current_database()`);
  assert.deepEqual(rows[0], { name: database.name, provider: 'b', locale: 'C.UTF-8', encoding: 'UTF8', super: true });
  await pool.query(`create role ${database.name}_pattern`);
  const byUrl = new pg.Client(database.url);
  await byUrl.connect();
  assert.equal((await byUrl.query('select current_database() as name')).rows[0].name, database.name);
  await byUrl.end();

  await database.drop();

  const other = await testDatabase();
  const client = new pg.Client(other.connection);
  await client.connect();
  const left = await client.query('select 1 from pg_roles where starts_with(rolname, $1)', [database.name]);
  assert.equal(left.rowCount, 0);
  await client.end();
  await other.drop();
});
