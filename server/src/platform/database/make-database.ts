import type pg from 'pg';
import { withConnection } from './own-connection.ts';
import { quoteName } from './roles.ts';

/** Makes a database of this name where there is none. The connection is to another one of the same server. */
export async function makeDatabase(connection: pg.ClientConfig, name: string): Promise<void> {
  await withConnection(connection, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${quoteName(name)}`);
  });
}
