import pg from 'pg';
import { quoteName } from './roles.ts';

/** Makes a database of this name where there is none. The connection is to another one of the same server. */
export async function makeDatabase(connection: pg.ClientConfig, name: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${quoteName(name)}`);
  } finally {
    await client.end();
  }
}
