import type { RunPriority } from '@damask/contracts/run.ts';
import type pg from 'pg';
import type { CallIntent } from '../engine/ports.ts';
import type { AcceptedRow } from '../run/record.ts';
import { acceptedColumns } from '../run/record-columns.ts';
import { readRow } from '../run/store.ts';
import type { RecentTasks } from './recent-tasks.ts';
import type { HeldTask } from './task-record.ts';
import { keyOfTask } from './task-store.ts';

export interface ClaimOptions {
  readonly owner: string;
  /** How many are taken at most, and how many of them from the bulk lane. */
  readonly slots: number;
  readonly bulkSlots: number;
  /** Of queued runs of one workspace that are in hand at once, where it has no limit of its own. */
  readonly workspaceLimit: number;
  /** What this process itself has accepted need not be read again. */
  readonly recent?: Pick<RecentTasks, 'take'>;
}

const ofAccepted = acceptedColumns.names
  .split(', ')
  .filter((name) => name !== 'workspace' && name !== 'id')
  .map((name) => `a.${name}`)
  .join(', ');

const ofTask = `t.workspace, t.id, t.lane, t.token::text, t.deliveries, t.calling, t.stepped, t.deadline,
  statement_timestamp() as claimed_at`;

/** Of requests that one claim brings; it may be more by the last of them. */
const mostBytes = 8 * 1024 * 1024;

const inOrder = 'lane desc, priority desc, ready_at, id';

/*
 * ready: the workspaces, lanes and models that have ready work and room; each step of the recursion is one look into the index.
 * candidates: of each, as many as are its share. What is over a limit falls out from the narrowest limit to the widest.
 * free: owner instead of state, so that no index that is partial by state is taken for one of ids while the list is short.
 * in_turn: the first of each workspace, then the second of each, and so on, beginning with who was served longest ago.
 */
const claim = {
  name: 'task_claim',
  text: `with recursive lists as (
      (select workspace, lane, provider, model from pattern.task where state <> 'running'
        order by workspace, lane, provider, model limit 1)
      union all
      select n.* from lists as l cross join lateral (
        select t.workspace, t.lane, t.provider, t.model from pattern.task as t
         where t.state <> 'running' and (t.workspace, t.lane, t.provider, t.model) > (l.workspace, l.lane, l.provider, l.model)
         order by t.workspace, t.lane, t.provider, t.model limit 1) as n),
    running as materialized (
      select workspace, provider, model, count(*)::int as number from pattern.task where state = 'running'
       group by workspace, provider, model),
    ready as materialized (
      select l.*, q.served,
          coalesce(q.concurrency, $4) - coalesce((select sum(number) from running as r where r.workspace = l.workspace), 0)
            as workspace_room,
          coalesce((p.limits->>'concurrency')::int - coalesce((select sum(number) from running as r
            where r.workspace = l.workspace and r.provider = l.provider), 0), $2) as provider_room,
          coalesce((select (offer->>'concurrency')::int from jsonb_array_elements(p.models) as offer
              where p.name || '/' || (offer->>'id') = l.model limit 1)
            - coalesce((select sum(number) from running as r
                where r.workspace = l.workspace and r.provider = l.provider and r.model = l.model), 0), $2) as model_room
        from lists as l
        left join pattern.task_turn as q on q.workspace = l.workspace
        left join pattern.provider as p on p.workspace = l.workspace and p.name = l.provider
       where (l.lane <> 'bulk' or $3 > 0) and exists (select from pattern.task as t
          where t.workspace = l.workspace and t.lane = l.lane and t.provider = l.provider and t.model = l.model
            and t.state <> 'running' and t.ready_at <= statement_timestamp())),
    open as (select * from ready where workspace_room > 0 and provider_room > 0 and model_room > 0),
    share as materialized (select ceil($2::numeric / greatest(1, count(distinct workspace)))::int as each from open),
    candidates as (
      select o.*, t.id, t.priority, t.ready_at, t.bytes, s.each from share as s cross join open as o cross join lateral (
        select id, priority, ready_at, octet_length(request) as bytes from pattern.task as t
         where t.workspace = o.workspace and t.lane = o.lane and t.provider = o.provider and t.model = o.model
           and t.state <> 'running' and t.ready_at <= statement_timestamp()
         order by t.priority desc, t.ready_at, t.id
         limit least(s.each, o.workspace_room, o.provider_room, o.model_room)) as t),
    in_model as (select *, row_number() over (partition by workspace, provider, model order by ${inOrder}) as of_model
      from candidates),
    in_provider as (select *, row_number() over (partition by workspace, provider order by ${inOrder}) as of_provider
      from in_model where of_model <= model_room),
    in_workspace as (select *, row_number() over (partition by workspace order by ${inOrder}) as of_workspace
      from in_provider where of_provider <= provider_room),
    in_turn as (select *, row_number() over (order by of_workspace, served nulls first, workspace) as turn
      from in_workspace where of_workspace <= least(workspace_room, each)),
    in_lane as (select *, row_number() over (partition by lane order by turn) as of_lane,
        sum(bytes) over (order by turn) - bytes as before from in_turn),
    chosen as materialized (select workspace, id, turn from in_lane
       where (lane <> 'bulk' or of_lane <= $3) and before < ${mostBytes}
      order by turn limit $2),
    free as (select t.workspace, t.id, c.turn from chosen as c
        join pattern.task as t on t.workspace = c.workspace and t.id = c.id
       where t.owner is null for update of t skip locked),
    turns as (insert into pattern.task_turn as q (workspace, served)
      select workspace, max(turn) + (select coalesce(max(served), 0) from pattern.task_turn) from chosen group by workspace
      on conflict (workspace) do update set served = excluded.served),
    taken as (update pattern.task as t set state = 'running', owner = $1, token = t.token + 1, why = null
        from free where t.workspace = free.workspace and t.id = free.id
      returning ${ofTask}, free.turn)
    select t.*, n.blocked from
      (select count(*)::int as blocked from ready where least(workspace_room, provider_room, model_room) <= 0) as n
      left join taken as t on true order by turn`,
};

const readHeld = {
  name: 'task_read_held',
  text: `select t.workspace, t.id, t.request, ${ofAccepted} from unnest($1::uuid[], $2::uuid[]) as g(workspace, id)
      join pattern.task as t on t.workspace = g.workspace and t.id = g.id
      join pattern.accepted as a on a.workspace = g.workspace and a.id = g.id where t.owner = $3`,
};

const claimLate = {
  name: 'task_claim_late',
  text: `with late as (select workspace, id from pattern.task where deadline <= statement_timestamp() and state <> 'running'
        order by deadline limit $2 for update skip locked),
    taken as (update pattern.task as t set state = 'running', owner = $1, token = t.token + 1
        from late where t.workspace = late.workspace and t.id = late.id
      returning t.*)
    select ${ofTask}, t.request, ${ofAccepted} from taken as t
      join pattern.accepted as a on a.workspace = t.workspace and a.id = t.id`,
};

interface TakenRow {
  readonly workspace: string;
  readonly id: string;
  readonly lane: RunPriority;
  readonly token: string;
  readonly deliveries: number;
  readonly calling: readonly CallIntent[] | null;
  readonly stepped: boolean;
  readonly deadline: Date | null;
  readonly claimed_at: Date;
}

/** What of a run never changes. */
interface WrittenRow extends AcceptedRow {
  readonly request: Buffer;
}

export interface ClaimResult {
  readonly tasks: readonly HeldTask[];
  /** Ready work was passed over because a limit of concurrency is reached. */
  readonly blocked: boolean;
}

/**
 * Takes ready work in hand, fairly between workspaces, within all limits. Claims of all processes come one after the other,
 * so that limits hold and no two of them choose the same work.
 */
export async function claimTasks(client: pg.Client, options: ClaimOptions): Promise<ClaimResult> {
  const { owner, recent } = options;
  let taken: TakenRow[];
  let blocked: boolean;
  await client.query(`begin; select pg_advisory_xact_lock(hashtextextended('damask claim', 0))`);
  try {
    const { slots, bulkSlots, workspaceLimit } = options;
    const { rows } = await client.query<TakenRow & { blocked: number }>({
      ...claim,
      values: [owner, slots, bulkSlots, workspaceLimit],
    });
    await client.query('commit');
    // Without work there is one row that tells nothing else.
    taken = rows.filter(({ id }) => id !== null);
    blocked = (rows[0]?.blocked ?? 0) > 0;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  const known = new Map<string, Written>();
  for (const { workspace, id } of taken) {
    const written = recent?.take(workspace, id);
    if (written) known.set(keyOfTask(workspace, id), { row: written.row, request: written.task.request });
  }
  await readOthers(client, owner, taken, known);
  const tasks = taken.flatMap((row) => {
    const written = known.get(keyOfTask(row.workspace, row.id));
    return written ? toHeld(row, written) : [];
  });
  return { tasks, blocked };
}

type Written = Pick<HeldTask, 'row' | 'request'>;

/** Reads what nobody told this process, outside of the transaction in which all others wait. */
async function readOthers(client: pg.Client, owner: string, taken: readonly TakenRow[], known: Map<string, Written>) {
  const others = taken.filter(({ workspace, id }) => !known.has(keyOfTask(workspace, id)));
  if (others.length === 0) return;
  const values = [others.map(({ workspace }) => workspace), others.map(({ id }) => id), owner];
  const { rows } = await client.query<WrittenRow>({ ...readHeld, values });
  for (const { request, ...row } of rows) known.set(keyOfTask(row.workspace, row.id), { row: readRow(row), request });
}

/** Takes in hand what is queued or waits beyond its deadline, whatever the limits say: it is only to be ended. */
export async function claimLateTasks(client: pg.Client, owner: string, limit: number): Promise<HeldTask[]> {
  const { rows } = await client.query<TakenRow & WrittenRow>({ ...claimLate, values: [owner, limit] });
  return rows.map(({ lane, token, deliveries, calling, stepped, deadline, claimed_at, request, ...row }) =>
    toHeld(
      { workspace: row.workspace, id: row.id, lane, token, deliveries, calling, stepped, deadline, claimed_at },
      { row: readRow(row), request },
    ),
  );
}

function toHeld(taken: TakenRow, written: Written): HeldTask {
  const { workspace, id, lane, token, deliveries, calling, stepped, deadline, claimed_at } = taken;
  const claim = {
    workspace,
    id,
    token: BigInt(token),
    deliveries,
    now: claimed_at.getTime(),
    deadline: deadline?.getTime() ?? null,
    calling: calling ?? [],
    stepped,
  };
  return { claim, lane, ...written };
}
