import type { Transaction } from '#platform/database/database.ts';
import type { StepRow } from '../engine/step-store.ts';

export interface StepsPage {
  readonly run: string;
  /** Only this step and what it consists of. */
  readonly path: string | null;
  /** The last step of the page before: when it began, in milliseconds since 1970, and its path. */
  readonly after: { readonly startedAt: string; readonly path: string } | null;
  readonly limit: number;
  /** Of sealed texts; one step is there in any case. */
  readonly bytes: number;
}

export interface PagedStep extends StepRow {
  /** It does not fit the page any more, and comes without its texts. */
  readonly over: boolean;
}

/** Who began a run of the transaction's workspace; undefined when it has none of this id. */
export async function readMaker(transaction: Transaction, run: string): Promise<string | undefined> {
  const [row] = await transaction.query<{ actor: string }>(
    `select actor from pattern.accepted where id = $1 union all select actor from pattern.finished where id = $1 limit 1`,
    [run],
  );
  return row?.actor;
}

/** Steps with a record, in the order in which they began. */
export function listRunSteps(transaction: Transaction, page: StepsPage): Promise<PagedStep[]> {
  const { run, path, after, limit, bytes } = page;
  return transaction.query<PagedStep>(
    `select s.workspace, s.run, s.path, s.state, s.pattern, s.version, s.model, s.calls, s.attempts, s.usage, s.cost_micros,
        s.error_code, s.error_detail, s.sanitised, s.flags, s.why, s.until, s.started_at, s.finished_at, s.decision, s.decided_by,
        s.decided_at, s.comment, page.over, case when not page.over then s.payload end as payload
       from pattern.step as s
       join (select path, coalesce(sum(octet_length(payload))
                 over (order by started_at, path rows between unbounded preceding and 1 preceding), 0) >= $6 as over
               from pattern.step
              where run = $1
                and ($2::text is null or path = $2 or starts_with(path, $2 || '/') or starts_with(path, $2 || '['))
                and ($3::text is null or (started_at, path) > (to_timestamp($3::numeric / 1000), $4))
              order by started_at, path limit $5) as page on page.path = s.path
      where s.run = $1
      order by s.started_at, s.path`,
    [run, path, after?.startedAt ?? null, after?.path ?? null, limit, bytes],
  );
}

export interface CallingRow {
  readonly step: string;
  readonly number: number;
  readonly model: string;
}

/** Calls of a run that are out now. */
export async function listCalling(transaction: Transaction, run: string, path: string | null): Promise<CallingRow[]> {
  return transaction.query<CallingRow>(
    `select c.step, c.number, c.model
       from pattern.task as t, jsonb_to_recordset(coalesce(t.calling, '[]')) as c(step text collate "C", number int, model text)
      where t.id = $1 and c.step <> ''
        and ($2::text is null or c.step = $2 or starts_with(c.step, $2 || '/') or starts_with(c.step, $2 || '['))
      order by c.step limit 200`,
    [run, path],
  );
}
