import type { RunPriority } from '@damask/contracts/run.ts';
import type pg from 'pg';
import type { CallIntent, Claim } from '../engine/ports.ts';
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
  /** Whether this process surely has what it claims now; asked when a call is to go out that the claim has noted. */
  readonly sure?: () => boolean;
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

const claim = {
  name: 'task_claim',
  text: `select workspace, id, lane, token, deliveries, calling, stepped, deadline, claimed_at, blocked
    from pattern.claim_tasks($1, $2, $3, $4)`,
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
  /** One alone where it was noted with this very claim. */
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
  const { owner, slots, bulkSlots, workspaceLimit, recent, sure } = options;
  const values = [owner, slots, bulkSlots, workspaceLimit];
  const { rows } = await client.query<TakenRow & { blocked: number }>({ ...claim, values });
  // Without work there is one row that tells nothing else.
  const taken = rows.filter(({ id }) => id !== null);
  const blocked = (rows[0]?.blocked ?? 0) > 0;
  const known = new Map<string, Written>();
  for (const { workspace, id } of taken) {
    const written = recent?.take(workspace, id);
    if (written) known.set(keyOfTask(workspace, id), { row: written.row, request: written.task.request });
  }
  await readOthers(client, owner, taken, known);
  const tasks = taken.flatMap((row) => {
    const written = known.get(keyOfTask(row.workspace, row.id));
    return written ? toHeld(row, written, sure) : [];
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

function toHeld(taken: TakenRow, written: Written, sure: () => boolean = () => false): HeldTask {
  const { workspace, id, lane, token, deliveries, calling, stepped, deadline, claimed_at } = taken;
  // Nobody had it before: what is noted was noted with this claim.
  const [intent] = token === '1' ? (calling ?? []) : [];
  const claim: Claim = {
    workspace,
    id,
    token: BigInt(token),
    deliveries,
    now: claimed_at.getTime(),
    deadline: deadline?.getTime() ?? null,
    calling: intent ? [] : (calling ?? []),
    stepped,
    ...(intent ? { noted: { intent, sure } } : {}),
  };
  return { claim, lane, ...written };
}
