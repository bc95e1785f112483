import type pg from 'pg';
import type { Transaction } from '#platform/database/database.ts';
import { forgetTexts, insertSteps, wakeDecided } from '../engine/step-store.ts';
import { acceptedColumns, finishedColumns, packBytes } from '../run/record-columns.ts';
import type { Enqueued, TaskChange, TaskEnd } from './task-record.ts';

const { names: acceptedNames, typed: acceptedTyped } = acceptedColumns;
const { names: finishedNames, typed: finishedTyped } = finishedColumns;

// Only for acceptances that are new: repeated after its commit, a finished run would otherwise be queued once more.
const accept = {
  name: 'task_accept',
  text: `with accepted as (insert into pattern.accepted (${acceptedNames})
      select * from json_to_recordset($1) as given(${acceptedTyped}) on conflict do nothing returning workspace, id)
    insert into pattern.task
      (workspace, id, lane, priority, provider, model, batch, ready_at, deadline, state, owner, token, request)
    select workspace, id, lane, priority, provider, model, batch, coalesce(ready_at, now()), deadline,
        case when owner is null then 'queued' else 'running' end, owner, case when owner is null then 0 else 1 end,
        substring($3::bytea from starts for size)
      from rows from (json_to_recordset($2) as (workspace uuid, id uuid, lane text, priority smallint, provider text,
          model text, batch uuid, ready_at timestamptz, deadline timestamptz, owner uuid), unnest($4::int[], $5::int[]))
        as given(workspace, id, lane, priority, provider, model, batch, ready_at, deadline, owner, starts, size)
      join accepted using (workspace, id)`,
};

function acceptValues(group: readonly Enqueued[]): unknown[] {
  const tasks = group.map(({ row, task: { request: _, ...task }, owner }) => ({
    workspace: row.workspace,
    id: row.id,
    ...task,
    owner,
  }));
  const { bytes, starts, sizes } = packBytes(group.map(({ task }) => task.request));
  return [JSON.stringify(group.map(({ row }) => row)), JSON.stringify(tasks), bytes, starts, sizes];
}

/** Accepts runs and queues them, in one commit. Safe to repeat. */
export async function acceptTasks(client: pg.Client, group: readonly Enqueued[]): Promise<void> {
  await client.query({ ...accept, values: acceptValues(group) });
}

/** The same in a transaction of the runs' workspace: with a batch, a timer's tick or an idempotency key. */
export async function insertTasks(transaction: Transaction, group: readonly Enqueued[]): Promise<void> {
  if (group.length > 0) await transaction.query(accept.text, acceptValues(group));
}

// By owner, not by state: while the list is short, an index that is partial by state would be taken for one of ids.
const changeRows = (rows: number) => `update pattern.task as t
      set state = g.state, calling = g.calling, why = g.why, stepped = t.stepped or g.stepped,
        deliveries = case when g.progressed then 0 else t.deliveries end,
        owner = case when g.state = 'running' then t.owner end,
        ready_at = case when g.state = 'running' then t.ready_at else g.ready_at end
      from json_to_recordset($${rows}) as g(workspace uuid, id uuid, token bigint, state text, ready_at timestamptz, why text,
        calling jsonb, stepped boolean, progressed boolean)
     where t.workspace = g.workspace and t.id = g.id and t.token = g.token and t.owner is not null
    returning t.workspace, t.id`;
const endRows = `given as materialized (select * from rows from (
        json_to_recordset($1) as (${finishedTyped}), unnest($3::int[], $4::int[], $5::bigint[]))
          as g(${finishedNames}, starts, size, held_token)),
      gone as (delete from pattern.task as t using given as g
         where t.workspace = g.workspace and t.id = g.id
           and (t.token = g.held_token or (g.held_token is null and t.owner is null))
        returning g.*),
      ended as (insert into pattern.finished (${finishedNames}, payload)
        select ${finishedNames}, substring($2::bytea from starts for size) from gone on conflict do nothing)`;

type Parts = Readonly<Record<'changes' | 'ends' | 'steps', boolean>>;

/** One statement for whatever comes together: each one more is a round trip, and a step of a chain waits for it. */
function writeStatement({ changes, ends, steps }: Parts) {
  const held = [ends ? 'select workspace, id from gone' : '', changes ? 'select workspace, id from changed' : ''];
  const tables = [
    ...(ends ? [endRows] : []),
    ...(changes ? [`changed as (${changeRows(ends ? 6 : 1)})`] : []),
    `held as (${held.filter((text) => text !== '').join(' union all ')})`,
    ...(steps ? [`kept as (${insertSteps(1 + (ends ? 5 : 0) + (changes ? 1 : 0))})`] : []),
  ];
  const name = ['task', ends ? 'end' : '', changes ? 'change' : '', steps ? 'steps' : ''].filter((word) => word !== '');
  return { name: name.join('_'), text: `with ${tables.join(', ')} select workspace, id from held` };
}
const written = new Map<string, ReturnType<typeof writeStatement>>();
function statementFor(parts: Parts) {
  const key = `${parts.changes} ${parts.ends} ${parts.steps}`;
  const known = written.get(key) ?? writeStatement(parts);
  written.set(key, known);
  return known;
}

function changeValues(changes: readonly TaskChange[]): unknown[] {
  const rows = changes.map(({ claim, done, calling, state, ready_at, why }) => ({
    ...{ state, ready_at, why },
    workspace: claim.workspace,
    id: claim.id,
    token: String(claim.token),
    calling: calling.length === 0 ? null : calling,
    stepped: done.length > 0,
    // Whoever dies with a run again and again without an end of a step: it may be the run's fault.
    progressed: done.some(({ state }) => state !== 'waiting'),
  }));
  return [JSON.stringify(rows)];
}

function endValues(ends: readonly TaskEnd[]): unknown[] {
  const { bytes, starts, sizes } = packBytes(ends.map(({ payload }) => payload));
  const tokens = ends.map(({ token }) => (token === null ? null : String(token)));
  return [JSON.stringify(ends.map(({ row }) => row)), bytes, starts, sizes, tokens];
}

/**
 * Writes what becomes of tasks that are in hand, and ends: these are kept, and their work is removed. `steps` are the values of
 * `insertSteps`, or none. Answers the runs for which it was written: the others are in other hands by now. No run may come twice.
 */
export async function writeTasks(
  client: pg.Client,
  changes: readonly TaskChange[],
  ends: readonly TaskEnd[],
  steps: readonly unknown[],
): Promise<ReadonlySet<string>> {
  const query = {
    ...statementFor({ changes: changes.length > 0, ends: ends.length > 0, steps: steps.length > 0 }),
    values: [
      ...(ends.length > 0 ? endValues(ends) : []),
      ...(changes.length > 0 ? changeValues(changes) : []),
      ...steps,
    ],
  };
  const waiting = changes.filter(({ state }) => state === 'waiting').map(({ claim }) => toRun(claim));
  const unstored = ends.filter(({ row }) => row.texts === 'not_stored').map(({ row }) => toRun(row));
  // Most need no transaction of several statements.
  if (waiting.length === 0 && unstored.length === 0) return toKeys(await client.query(query));
  await client.query('begin');
  try {
    const held = toKeys(await client.query(query));
    if (waiting.length > 0) await client.query({ ...wakeDecided, values: [JSON.stringify(waiting)] });
    const ended = unstored.filter(({ workspace, id }) => held.has(keyOfTask(workspace, id)));
    if (ended.length > 0) await client.query({ ...forgetTexts, values: [JSON.stringify(ended)] });
    await client.query('commit');
    return held;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

// Whoever is frozen in the middle of a claim must not keep all others from claiming for long.
// Scans by bitmap are off since they never mark what is dead, and most of a busy list is.
const settings = `set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off;
  set enable_mergejoin = off; set plan_cache_mode = force_generic_plan;
  set idle_in_transaction_session_timeout = '3s'`;

/**
 * For a connection that claims, changes or ends tasks: what its statements read is found by indexes, whatever the statistics of
 * a list say that is empty one second and full the next.
 */
export async function goByIndexes(client: pg.Client): Promise<pg.Client> {
  try {
    await client.query(settings);
    return client;
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
}

/** Which of these ends are kept: asked when the reply to them was lost. */
export async function findEnds(client: pg.Client, group: readonly TaskEnd[]): Promise<ReadonlySet<string>> {
  const rows = group.map(({ row: { workspace, id, process, finished_at } }) => ({
    workspace,
    id,
    process,
    finished_at,
  }));
  return toKeys(
    await client.query(
      `select f.workspace, f.id from pattern.finished as f
         join json_to_recordset($1) as g(workspace uuid, id uuid, process uuid, finished_at timestamptz)
           on f.workspace = g.workspace and f.id = g.id and f.process = g.process and f.finished_at = g.finished_at`,
      [JSON.stringify(rows)],
    ),
  );
}

/** Sets aside what the tables refuse; its texts stay out. */
export async function quarantineRun(
  client: pg.Client,
  row: { readonly workspace: string; readonly id: string; readonly digest: string },
  reason: string,
): Promise<void> {
  await client.query('insert into pattern.quarantined (workspace, run, reason, digest) values ($1, $2, $3, $4)', [
    row.workspace,
    row.id,
    reason.slice(0, 500),
    row.digest,
  ]);
}

/** Processes that have work in hand. */
export async function listOwners(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ owner: string }>({
    name: 'task_owners',
    text: `select distinct owner from pattern.task where state = 'running'`,
  });
  return rows.map(({ owner }) => owner);
}

export interface TakeOptions {
  /** They cannot have let it go themselves: it counts against the runs. */
  readonly died: boolean;
  /** Only these runs. */
  readonly only?: readonly string[];
  /** All but these. */
  readonly except?: readonly string[];
  readonly limit: number;
}

/** Takes work out of the hands of these processes; what they write for it afterwards is lost. Answers how much it was. */
export async function takeFrom(client: pg.Client, owners: readonly string[], options: TakeOptions): Promise<number> {
  const { died, only, except, limit } = options;
  const { rowCount } = await client.query(
    `update pattern.task as t set state = 'queued', owner = null, token = t.token + 1, ready_at = now(),
        deliveries = t.deliveries + $2
      where (t.workspace, t.id) in (select workspace, id from pattern.task
        where state = 'running' and owner = any($1::uuid[]) and ($3::uuid[] is null or id = any($3))
          and ($4::uuid[] is null or id <> all($4)) limit $5) and t.state = 'running' and t.owner = any($1::uuid[])`,
    [owners, died ? 1 : 0, only ?? null, except ?? null, limit],
  );
  return rowCount ?? 0;
}

/** Runs that a process has in hand. */
export async function listHeld(client: pg.Client, owner: string): Promise<ReadonlySet<string>> {
  return toKeys(
    await client.query({
      name: 'task_held',
      text: `select workspace, id from pattern.task where state = 'running' and owner = $1`,
      values: [owner],
    }),
  );
}

const toRun = ({ workspace, id }: { readonly workspace: string; readonly id: string }) => ({ workspace, id });

const toKeys = ({ rows }: pg.QueryResult<{ workspace: string; id: string }>): ReadonlySet<string> =>
  new Set(rows.map(({ workspace, id }) => keyOfTask(workspace, id)));

export const keyOfTask = (workspace: string, id: string): string => `${workspace} ${id}`;
