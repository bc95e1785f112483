import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../server/src/platform/database/database.ts';
import { openDatabase } from '../../server/src/platform/database/database.ts';
import { createRoles } from '../../server/src/platform/database/roles.ts';
import { readTable } from './read-table.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
let name: string;
let login: string;
before(async () => {
  world = await startTwoWorkspaces();
  name = String(world.platform.connection.database);
  login = `${name}_login`;
});
after(() => world.stop());

const schemas = `n.nspname in ('identity', 'pattern')`;
const withWorkspace = `exists (select from pg_attribute as a
  where a.attrelid = c.oid and a.attname = 'workspace' and not a.attisdropped)`;

test('Z-8: each table of workspaces, and each part of one, has row-level security that also binds its owner', async () => {
  const open = await world.sql(
    `select n.nspname || '.' || c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and ${schemas} and ${withWorkspace}
        and not (c.relrowsecurity and c.relforcerowsecurity)`,
  );
  assert.deepEqual(open, []);
});

test('tables without a workspace are few and known', async () => {
  const rows = await world.sql<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and ${schemas} and not ${withWorkspace} order by 1`,
  );
  assert.deepEqual(
    rows.map((row) => row.name),
    [
      'identity.account',
      'identity.command_line_login',
      'identity.instance',
      'identity.login_identity',
      'identity.login_link',
      'identity.login_session',
      'identity.passkey',
      'identity.used_challenge',
    ],
  );
});

test('Z-8: tables belong to a role that nobody logs in as, and no role bypasses row-level security', async () => {
  const owners = await world.sql<{ owner: string; login: boolean }>(
    `select distinct r.rolname as owner, r.rolcanlogin as login from pg_class as c
       join pg_namespace as n on n.oid = c.relnamespace join pg_roles as r on r.oid = c.relowner
      where c.relkind in ('r', 'p') and (${schemas} or n.nspname = 'platform')`,
  );
  assert.deepEqual(owners, [{ owner: `${name}_owner`, login: false }]);
  const strong = await world.sql(
    `select rolname from pg_roles where starts_with(rolname, $1) and (rolsuper or rolbypassrls or rolcreaterole
       or rolcreatedb or rolreplication)`,
    [`${name}_`],
  );
  assert.deepEqual(strong, []);
  const logins = await world.sql<{ rolname: string; rolinherit: boolean }>(
    'select rolname, rolinherit from pg_roles where starts_with(rolname, $1) and rolcanlogin',
    [`${name}_`],
  );
  assert.deepEqual(logins, [{ rolname: login, rolinherit: false }]);
});

test('the policies are exactly the ones of the hand-kept table', async () => {
  type Policy = Record<'table' | 'policy' | 'command', string> & Record<'reads' | 'writes', string | null>;
  const rows = await world.sql<Policy & { roles: string[] }>(
    `select schemaname || '.' || tablename as table, policyname as policy, cmd as command, roles::text[] as roles, qual as reads,
        with_check as writes
       from pg_policies where schemaname not in ('pg_catalog') and permissive = 'PERMISSIVE' order by 1, 2`,
  );
  const seen = rows.map(({ table, policy, command, roles, reads, writes }) => {
    const who = roles.map((role) => role.replace(`${name}_`, '')).join(' ');
    return [table, policy, command, who, ruleOf(reads), ruleOf(writes)].join(', ');
  });
  assert.deepEqual(
    seen,
    readTable('policies.csv').map((row) => Object.values(row).join(', ')),
  );
});

function ruleOf(condition: string | null): string {
  if (condition === null) return '-';
  if (condition === `(workspace = (NULLIF(current_setting('damask.workspace'::text, true), ''::text))::uuid)`) {
    return 'workspace';
  }
  if (/^\(EXISTS \( SELECT\s+FROM identity\.member\s+WHERE \(member\.account = account\.id\)\)\)$/.test(condition)) {
    return 'members';
  }
  const outside = `((current_setting('damask.role'::text, true) = 'identity'::text) AND (COALESCE(current_setting('damask.workspace'::text, true), ''::text) = ''::text))`;
  if (condition === outside) return 'outside workspaces';
  const bound =
    /^\(\(current_setting\('damask\.role'::text, true\) = '(keeper|sealer)'::text\) AND \(workspace = \(NULLIF\(current_setting\('damask\.workspace'::text, true\), ''::text\)\)::uuid\)\)$/;
  const [, role] = bound.exec(condition) ?? [];
  if (role) return `${role} in the workspace`;
  // Also inside a select of its own, which is evaluated once and not for each row.
  const says = /^(?:\( SELECT )?\(current_setting\('damask\.role'::text, true\) = '(\w+)'::text\)\)?$/;
  return says.exec(condition)?.[1] ?? condition;
}

test('Z-8: no view and no function of the owner opens a way around', async () => {
  const views = await world.sql(
    `select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where c.relkind in ('v', 'm') and ${schemas}
        and not coalesce('security_invoker=true' = any(c.reloptions), false)`,
  );
  assert.deepEqual(views, []);
  const definers = await world.sql<{ name: string }>(
    `select n.nspname || '.' || p.proname as name from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
      where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  assert.deepEqual(
    definers.map((row) => row.name),
    ['pattern.drop_week', 'pattern.ensure_partitions'],
  );
});

test('parts of a partitioned table cannot be reached around their table', async () => {
  const rights = await world.sql(
    `select c.relname, r.rolname from pg_class as c join pg_roles as r on starts_with(r.rolname, $1)
      where c.relispartition and c.relkind = 'r' and r.rolname <> $1 || 'owner'
        and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate')`,
    [`${name}_`],
  );
  assert.deepEqual(rights, []);
});

test('a partition that is made later is guarded like the first ones', async () => {
  await world.transaction(async (query) => {
    await query('select pattern.ensure_partitions(30)');
    const open = await query(
      'select relname from pg_class where relispartition and relkind = $1 and not (relrowsecurity and relforcerowsecurity)',
      ['r'],
    );
    assert.deepEqual(open, []);
  });
});

/** A pool of one connection, so that each transaction gets what the last one left. */
function oneConnection(): Database {
  const { floor, connection } = world.platform;
  return openDatabase({
    connection: { ...connection, user: login },
    roles: createRoles(name, true, login),
    log: floor.log,
    poolSize: 1,
    statementTimeout: 5_000,
  });
}

const visible = (database: Database, workspace: string | null) =>
  database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const rows = await transaction.query<{ workspace: string }>('select distinct workspace from pattern.pattern');
    return rows.map((row) => row.workspace);
  });

test('Z-8: what one transaction sees, the next one on the same connection does not', async () => {
  const database = oneConnection();
  try {
    const { alpha, beta } = world;
    assert.deepEqual(await visible(database, alpha.workspace), [alpha.workspace]);
    assert.deepEqual(await visible(database, null), []);
    assert.deepEqual(await visible(database, beta.workspace), [beta.workspace]);
    await assert.rejects(
      database.transaction({ role: 'pattern', workspace: alpha.workspace }, (transaction) =>
        transaction.query('select 1 / 0'),
      ),
    );
    assert.deepEqual(await visible(database, null), []);
    // Code that forgets "local" leaves its setting on the connection.
    await database.transaction({ role: 'pattern', workspace: null }, (transaction) =>
      transaction.query(`select set_config('damask.workspace', $1, false)`, [beta.workspace]),
    );
    assert.deepEqual(await visible(database, null), []);
    assert.deepEqual(await visible(database, alpha.workspace), [alpha.workspace]);
  } finally {
    await database.end();
  }
});

test('three hundred transactions at once over eight connections each see their own workspace only', async () => {
  const { alpha, beta, platform } = world;
  const scopes = Array.from({ length: 300 }, (_, i) => [alpha.workspace, beta.workspace, null][i % 3] ?? null);
  const seen = await Promise.all(scopes.map((workspace) => visible(platform.floor.database, workspace)));
  assert.deepEqual(
    seen,
    scopes.map((workspace) => (workspace === null ? [] : [workspace])),
  );
});

test('a workspace id that is none never reaches the database', async () => {
  for (const workspace of ['', 'x', `${world.beta.workspace}'; reset role; --`]) {
    await assert.rejects(visible(world.platform.floor.database, workspace), /workspace id/);
  }
});
