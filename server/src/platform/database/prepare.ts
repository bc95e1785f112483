import pg from 'pg';
import { AppError } from '../app-error.ts';
import { createRoles, platformRoles, quoteName, type Roles } from './roles.ts';

export interface PrepareOptions {
  /** A connection that may create roles and schemas; its database must exist. */
  readonly connection: pg.ClientConfig;
  readonly services: readonly string[];
  /** The login role that the pool will use, when it is not the connection's own user. */
  readonly loginRole?: string;
}

/** Makes the roles and schemas that are missing. Answers how roles are named in this database. */
export async function prepareDatabase(options: PrepareOptions): Promise<{ roles: Roles; database: string }> {
  const client = new pg.Client({ ...options.connection, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    // Role and schema creation race between processes that start together.
    await client.query(`select pg_advisory_lock(hashtextextended('damask prepare', 0))`);
    const { rows } = await client.query<{ database: string; user: string; can: boolean; version: number }>(
      `select current_database() as database, current_user as user, rolcreaterole or rolsuper as can,
              current_setting('server_version_num')::int as version
         from pg_roles where rolname = current_user`,
    );
    const { database, user, can, version } = rows[0] as (typeof rows)[0];
    if (version < 150_000) {
      throw new AppError('unavailable', `PostgreSQL 15 or newer is needed; this is ${version}. Upgrade the database.`);
    }
    const login = options.loginRole ?? user;
    const roles = createRoles(database, can, login);
    if (can) await createRolesInDatabase(client, roles, options.services, login);
    for (const schema of ['platform', ...options.services]) {
      await client.query(`create schema if not exists ${quoteName(schema)}`);
      const owner = roles.name('owner');
      if (owner) {
        await client.query(`alter schema ${quoteName(schema)} owner to ${quoteName(owner)}`);
        const users = schema === 'platform' ? options.services : [schema];
        for (const role of [...users, 'platform', 'journal']) {
          await client.query(`grant usage on schema ${quoteName(schema)} to ${quoteName(roles.name(role) as string)}`);
        }
      }
    }
    return { roles, database };
  } finally {
    await client.end();
  }
}

async function createRolesInDatabase(client: pg.Client, roles: Roles, services: readonly string[], login: string) {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles');
  const existing = new Set(rows.map((row) => row.rolname));
  if (!existing.has(login)) await client.query(`create role ${quoteName(login)} login noinherit`);
  for (const role of [...platformRoles, ...services]) {
    const name = roles.name(role) as string;
    if (!existing.has(name)) await client.query(`create role ${quoteName(name)} nologin noinherit`);
    await client.query(`grant ${quoteName(name)} to ${quoteName(login)}`);
    await client.query(`grant ${quoteName(name)} to current_user`);
  }
}
