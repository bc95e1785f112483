import type { StepCounts } from '@damask/contracts/run.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { AcceptedRow, TaskFacts } from './record.ts';
import { acceptedColumns } from './record-columns.ts';
import { conditions, type RunFilter, readRow } from './store.ts';

interface FactsRow {
  readonly state: TaskFacts['state'];
  readonly lane: TaskFacts['lane'];
  /** The driver gives infinity as a number. */
  readonly ready_at: Date | number;
  readonly deadline: Date | null;
  readonly deliveries: number;
  readonly why: string | null;
}

const facts = 't.state, t.lane, t.ready_at, t.deadline, t.deliveries, t.why';

function toFacts({ state, lane, ready_at, deadline, deliveries, why }: FactsRow): TaskFacts {
  return {
    state,
    lane,
    ready_at: ready_at instanceof Date ? ready_at.toISOString() : null,
    deadline: deadline?.toISOString() ?? null,
    deliveries,
    why,
  };
}

/** Where a queued run of the transaction's workspace stands; undefined for one that is not queued, or has ended. */
export async function readTaskFacts(transaction: Transaction, run: string): Promise<TaskFacts | undefined> {
  const [row] = await transaction.query<FactsRow>(`select ${facts} from pattern.task as t where t.id = $1`, [run]);
  return row && toFacts(row);
}

const acceptedNames = acceptedColumns.names
  .split(', ')
  .map((name) => `a.${name}`)
  .join(', ');

/** Queued runs that have not ended, however long ago they were accepted. `after`: only ids above it. */
export async function listTasks(
  transaction: Transaction,
  filter: RunFilter,
  { state, after }: { readonly state?: string | undefined; readonly after?: string | undefined },
): Promise<{ row: AcceptedRow; task: TaskFacts }[]> {
  const values: unknown[] = [];
  const where = conditions(filter, values, 'a.');
  const states = state === undefined ? '' : ` and t.state = $${values.push(state)}`;
  const from = after === undefined ? '' : ` and t.id >= $${values.push(after)}::uuid`;
  const rows = await transaction.query<AcceptedRow & FactsRow>(
    `select ${acceptedNames}, ${facts} from pattern.task as t
       join pattern.accepted as a on a.workspace = t.workspace and a.id = t.id
      where true${where}${states}${from} order by a.id desc limit $${values.push(filter.limit)}`,
    values,
  );
  return rows.map((row) => {
    const { state: _, lane: __, ready_at: ___, deadline: ____, deliveries: _____, why: ______, ...accepted } = row;
    return { row: readRow(accepted as AcceptedRow), task: toFacts(row) };
  });
}

/** How far the steps of a run are, and what they cost so far. */
export interface StepTotals {
  readonly steps: StepCounts;
  /** Null: not known of all of them. */
  readonly cost_micros: number | null;
}

/** Undefined for a run that has no steps. */
export async function readStepTotals(transaction: Transaction, run: string): Promise<StepTotals | undefined> {
  const [row] = await transaction.query<Omit<StepCounts, 'calling'> & { rows: number; unknown: boolean; cost: string }>(
    `select count(*)::int as rows, count(*) filter (where cost_micros is null) > 0 as unknown,
        coalesce(sum(cost_micros), 0)::text as cost, ${ends.map(countOf).join(', ')}
       from pattern.step where run = $1`,
    [run],
  );
  if (!row || row.rows === 0) return undefined;
  const { rows: _, unknown, cost, ...steps } = row;
  const [task] = await transaction.query<{ calling: number }>(
    `select count(*)::int as calling from pattern.task as t, jsonb_array_elements(coalesce(t.calling, '[]')) as c
      where t.id = $1 and c->>'step' <> ''`,
    [run],
  );
  return { steps: { calling: task?.calling ?? 0, ...steps }, cost_micros: unknown ? null : Number(cost) };
}

const ends = ['succeeded', 'failed', 'skipped', 'waiting'] as const;
const countOf = (state: string) => `(count(*) filter (where state = '${state}' and path <> ''))::int as ${state}`;

/** The sealed request of a queued run of which nothing was begun; undefined where somebody has it in hand, or had. */
export async function readUnbegun(transaction: Transaction, run: string): Promise<Buffer | undefined> {
  const [row] = await transaction.query<{ request: Buffer }>(
    `select request from pattern.task where id = $1 and state <> 'running' and calling is null and not stepped`,
    [run],
  );
  return row?.request;
}

/** Lets a queued run be taken up now that waits for a time or for somebody. */
export async function wakeTask(transaction: Transaction, run: string): Promise<void> {
  await transaction.query(
    `update pattern.task set ready_at = now(), state = 'queued', why = null where id = $1 and state <> 'running'`,
    [run],
  );
}
