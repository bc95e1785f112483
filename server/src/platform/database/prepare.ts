import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { openConnection } from './own-connection.ts';
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
  const client = await openConnection(options.connection);
  try {
    // Role and schema creation race between processes that start together.
    await client.query(`select pg_advisory_lock(hashtextextended('damask prepare', 0))`);
    const { database, user, can, separate, bypasses, version } = await readSituation(client);
    if (version < 150_000) {
      throw new AppError('unavailable', `PostgreSQL 15 or newer is needed; this is ${version}. Upgrade the database.`);
    }
    if (!separate && bypasses) {
      throw new AppError(
        'unavailable',
        `The database user ${user} passes over row-level security, which keeps workspaces apart. Use one without BYPASSRLS that is no superuser, or one with CREATEROLE and a new database.`,
      );
    }
    const login = options.loginRole ?? user;
    const roles = createRoles(database, separate, login);
    if (separate) await createRolesInDatabase(client, roles, { services: options.services, login, can });
    for (const schema of ['platform', ...options.services]) {
      await prepareSchema(client, schema, roles, options.services);
    }
    return { roles, database };
  } finally {
    await client.end();
  }
}

interface Situation {
  readonly database: string;
  readonly user: string;
  /** The user may make roles. */
  readonly can: boolean;
  /** Each service has a role of its own. A database stays as it was made, whatever its user may do later. */
  readonly separate: boolean;
  readonly bypasses: boolean;
  readonly version: number;
}

async function readSituation(client: pg.Client): Promise<Situation> {
  const { rows } = await client.query<Omit<Situation, 'separate'> & { owner: string | null }>(
    `select current_database() as database, current_user as user, rolcreaterole or rolsuper as can,
            rolbypassrls or rolsuper as bypasses, current_setting('server_version_num')::int as version,
            (select pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where n.nspname = 'platform' and c.relname = 'migration') as owner
       from pg_roles where rolname = current_user`,
  );
  const { owner, ...known } = rows[0] as (typeof rows)[0];
  return { ...known, separate: owner === null ? known.can : owner === `${known.database}_owner` };
}

async function prepareSchema(client: pg.Client, schema: string, roles: Roles, services: readonly string[]) {
  const owner = roles.name('owner');
  const { rows } = await client.query<{ owner: string }>(
    'select pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = $1',
    [schema],
  );
  if (rows.length === 0) await client.query(`create schema ${quoteName(schema)}`);
  if (owner === null) return;
  if (rows[0]?.owner !== owner) await client.query(`alter schema ${quoteName(schema)} owner to ${quoteName(owner)}`);
  // As the owner: a login that inherits nothing could not pass anything on.
  await client.query(`set role ${quoteName(owner)}`);
  const users = schema === 'platform' ? services : [schema];
  for (const role of [...users, ...platformRoles.filter((role) => role !== 'owner')]) {
    await client.query(`grant usage on schema ${quoteName(schema)} to ${quoteName(roles.name(role) as string)}`);
  }
  await client.query('reset role');
}

async function createRolesInDatabase(
  client: pg.Client,
  roles: Roles,
  { services, login, can }: { services: readonly string[]; login: string; can: boolean },
) {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles');
  const existing = new Set(rows.map((row) => row.rolname));
  const names = [...platformRoles, ...services].map((role) => roles.name(role) as string);
  if (!can) return requireRoles(client, names, existing);
  if (!existing.has(login)) await client.query(`create role ${quoteName(login)} login noinherit`);
  for (const name of names) {
    if (!existing.has(name)) await client.query(`create role ${quoteName(name)} nologin noinherit`);
    await client.query(`grant ${quoteName(name)} to ${quoteName(login)}`);
    await client.query(`grant ${quoteName(name)} to current_user`);
  }
}

/** The right to make roles was needed once; what was made then is enough. */
async function requireRoles(client: pg.Client, names: readonly string[], existing: ReadonlySet<string>) {
  const missing: string[] = [];
  for (const name of names) {
    const { rows } = existing.has(name)
      ? await client.query<{ member: boolean }>(`select pg_has_role($1, 'MEMBER') as member`, [name])
      : { rows: [] };
    if (!rows[0]?.member) missing.push(name);
  }
  if (missing.length === 0) return;
  throw new AppError(
    'unavailable',
    `The database user is no member of ${missing.join(', ')}. Make these roles and grant them to it, or give it CREATEROLE for one start.`,
  );
}
