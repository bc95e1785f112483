import pg from 'pg';
import { quoteName } from './roles.ts';

/**
 * A connection outside the pool with all rights of its user: for what is done before the platform serves, or beside it.
 * When it is lost, the statement in hand tells.
 */
export async function openConnection(connection: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ connectionTimeoutMillis: 10_000, ...connection });
  // Without a listener the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Works with a connection of its own and closes it. */
export async function withConnection<Result>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await openConnection(connection);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The role that owns `schema.table`, null when there is no such table. Found also by who may not look into the schema. */
export async function ownerOf(client: pg.Client, table: string): Promise<string | null> {
  const { rows } = await client.query<{ owner: string }>(
    `select pg_get_userbyid(c.relowner) as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname || '.' || c.relname = $1`,
    [table],
  );
  return rows[0]?.owner ?? null;
}

/** Takes the role that owns a table, until the transaction or else the connection ends. False when there is no such table. */
export async function becomeOwner(client: pg.Client, table: string, during: 'connection' | 'transaction') {
  const owner = await ownerOf(client, table);
  if (owner !== null) await client.query(`set ${during === 'transaction' ? 'local ' : ''}role ${quoteName(owner)}`);
  return owner !== null;
}
