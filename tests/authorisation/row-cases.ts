import { accountRows } from './account-rows.ts';
import type { Case } from './matrix-cases.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

const services = ['pattern', 'identity'] as const;
// They serve all workspaces, and say so to the database where they do.
const wideRoles = ['platform', 'journal', 'worker'] as const;
// The keeper removes, and the sealer seals anew, in one workspace at a time.
const serviceRoles = [...services, 'keeper', 'sealer', ...wideRoles];

type Act = 'read' | 'written' | 'changed' | 'deleted';

interface Right {
  /** `pattern.version` */
  readonly table: string;
  readonly role: string;
  readonly act: Act;
  /** Columns that a statement of this kind can name. */
  readonly columns: readonly string[];
}

/** What each role of the database may do with each table that holds rows of workspaces. */
async function listRights(world: TwoWorkspaces): Promise<Right[]> {
  const { database } = world.platform.connection;
  const rows = await world.sql<{ table: string; role: string; columns: Record<Act, string[] | null> }>(
    `select n.nspname || '.' || c.relname as table, r.role,
        json_build_object(
          'read', json_agg(a.attname) filter (where has_column_privilege(r.name, c.oid, a.attnum, 'select')),
          'written', json_agg(a.attname) filter (where has_column_privilege(r.name, c.oid, a.attnum, 'insert')
            and a.attidentity = '' and a.attgenerated = ''),
          'changed', json_agg(a.attname) filter (where has_column_privilege(r.name, c.oid, a.attnum, 'update')),
          'deleted', case when has_table_privilege(r.name, c.oid, 'delete') then json_agg(a.attname) end) as columns
       from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
       join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      cross join (select role, $1 || '_' || role as name from unnest($2::text[]) as role) as r
      where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any($3)
        and exists (select from pg_attribute as w where w.attrelid = c.oid and w.attname = 'workspace')
      group by 1, r.role, r.name, c.oid order by 1, 2`,
    [database, serviceRoles, services],
  );
  return rows.flatMap(({ table, role, columns }) =>
    (Object.keys(columns) as Act[])
      .filter((act) => (columns[act]?.length ?? 0) > 0)
      .map((act) => ({ table, role, act, columns: columns[act] ?? [] })),
  );
}

/** Behind the edge: what the database lets a service do that works for alpha. Beta's rows are out of reach. */
export async function rowCases(world: TwoWorkspaces): Promise<Case[]> {
  const rights = await listRights(world);
  const ofWorkspaces = rights.flatMap((right) => {
    const { table, role, act } = right;
    const name = `rows of beta in ${table} ${act} as ${role} for`;
    const forAlpha = { name: `${name} alpha`, operation: table, check: () => attempt(world, right, 'alpha') };
    if (act !== 'read') return [forAlpha];
    return [forAlpha, { name: `${name} nobody`, operation: table, check: () => attempt(world, right, 'nobody') }];
  });
  return [...ofWorkspaces, ...accountRows(world)];
}

async function attempt(world: TwoWorkspaces, { table, role, act, columns }: Right, whom: 'alpha' | 'nobody') {
  const { workspace } = world.beta;
  const list = columns.join(', ');
  const reach: Record<Exclude<Act, 'written'>, string> = {
    read: `select count(*)::int as count from ${table} where workspace = $1`,
    changed: `update ${table} set ${columns[0]} = ${columns[0]} where workspace = $1`,
    deleted: `delete from ${table} where workspace = $1`,
  };
  return world.transaction(async (query) => {
    const [theirs] = await query<{ row: object }>(
      `select to_jsonb(t) as row from ${table} as t where workspace = $1 limit 1`,
      [workspace],
    );
    if (!theirs) return 'nothing is seeded there for beta';
    // Readers and writers across workspaces say what they are. Here they do not, so that they are bound like others.
    const says = wideRoles.some((wide) => wide === role) ? 'pattern' : role;
    await query(
      `set local role "${world.platform.connection.database}_${role}"; set local damask.role = '${says}';
       set local damask.workspace = '${whom === 'alpha' ? world.alpha.workspace : ''}'`,
    );
    try {
      if (act === 'written') {
        await query(`insert into ${table} (${list}) select ${list} from jsonb_populate_record(null::${table}, $1)`, [
          theirs.row,
        ]);
        return 'it was taken';
      }
      const counted =
        act === 'read'
          ? reach.read
          : `with done as (${reach[act]} returning 1) select count(*)::int as count from done`;
      const [row] = await query<{ count: number }>(counted, [workspace]);
      if (row?.count !== 0) return `${row?.count} rows were reached`;
      // Without a condition a statement needs no leave to read, and only the policy for deleting or changing stands in its way.
      if (act === 'changed' && role === 'sealer') {
        await query(`update ${table} set ${columns[0]} = '\\x5a5a'`);
        await query('reset role');
        const [hit] = await query(`select from ${table} where workspace = $1 and ${columns[0]} = '\\x5a5a'`, [
          workspace,
        ]);
        return hit ? 'rows were changed' : null;
      }
      if (act !== 'deleted' || (role !== 'platform' && role !== 'worker')) return null;
      await query(`delete from ${table}`);
      await query('reset role');
      const [left] = await query<{ count: number }>(
        `select count(*)::int as count from ${table} where workspace = $1`,
        [workspace],
      );
      return left && left.count > 0 ? null : 'all rows were deleted';
    } catch (error) {
      const { message } = error as Error;
      // A hold that is about nobody takes no name: alpha's own row is in the way.
      const immutable = act !== 'written' && /never changes|"legal_hold_check"/.test(message);
      return immutable || /row-level security/.test(message) ? null : `it failed for another reason: ${message}`;
    }
  });
}

// The sequencer writes these by itself, and goes on while others look.
const sealed = ['identity.audit_entry', 'identity.audit_checkpoint', 'identity.audit_head'];
// Its own callers were refused something, or read their own log: no stranger's doing.
const byItself = '(actor_id in (select id::text from identity.api_key where workspace = $1))';

/** A checksum over all rows of a workspace in every table that has workspaces, whoever owns the table. */
export async function checksumOf(world: TwoWorkspaces, workspace: string): Promise<Record<string, string>> {
  const tables = await world.sql<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
       join pg_attribute as a on a.attrelid = c.oid and a.attname = 'workspace' and not a.attisdropped
      where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname || '.' || c.relname <> all($1)`,
    [sealed],
  );
  const sums = tables.map(async ({ name }) => {
    const [row] = await world.sql<{ sum: string }>(
      // When a key was last used is written a minute later, by whoever used it.
      `select count(*) || ' rows, ' || coalesce(md5(string_agg(row, '' order by row)), '-') as sum
         from ${name} as t, md5((to_jsonb(t) - 'last_used_at')::text) as row
        where workspace = $1 ${name === 'identity.audit' ? `and not ${byItself}` : ''}`,
      [workspace],
    );
    return [name, row?.sum ?? ''] as const;
  });
  return Object.fromEntries((await Promise.all(sums)).sort());
}
