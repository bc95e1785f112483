import type { ErrorCode } from '@damask/contracts/errors.ts';
import type pg from 'pg';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import { namesOf, packBytes } from '../run/record-columns.ts';
import type { Claim, StepDecision, StepRecord } from './ports.ts';

/** What is to be kept of a run. `waits`: the run is given back until somebody decides. */
export interface KeptSteps {
  readonly workspace: string;
  readonly id: string;
  readonly done: readonly StepRecord[];
  readonly waits: boolean;
  /** It has ended, and no text of it is to be kept. */
  readonly forgets?: true;
}

/** Records of steps on PostgreSQL: kept in the transaction that changes their run's work, and read by who takes it up. */
export interface StepStore {
  /** After the runs' work was changed by this transaction, which has locked it. */
  keep(client: pg.Client, runs: readonly KeptSteps[]): Promise<void>;
  read(claim: Claim): Promise<readonly StepRecord[]>;
}

const typed = `workspace uuid, run uuid, path text, state text, pattern text, version int, model text, calls int, attempts jsonb,
  usage jsonb, cost_micros bigint, error_code text, error_detail text, sanitised boolean, why text, until timestamptz,
  started_at timestamptz, finished_at timestamptz`;
const names = namesOf(typed);
const updated = namesOf(typed)
  .split(', ')
  .filter((name) => !['workspace', 'run', 'path', 'started_at'].includes(name))
  .map((name) => `${name} = excluded.${name}`)
  .join(', ');
// Written again after a lost reply, a waiting step must not lose what was decided in between.
const decided = ['decision', 'decided_by', 'decided_at', 'comment']
  .map((name) => `${name} = case when step.why = excluded.why then step.${name} end`)
  .join(', ');

const keep = {
  name: 'step_keep',
  text: `insert into pattern.step as step (${names}, payload)
    select ${names}, substring($2::bytea from starts for size)
      from rows from (json_to_recordset($1) as (${typed}), unnest($3::int[], $4::int[])) as given(${names}, starts, size)
    on conflict (workspace, run, path) do update set ${updated}, payload = excluded.payload, ${decided}`,
};

// Whoever decides locks the work first: either this sees the decision, or the decision sees work that waits.
const wakeDecided = {
  name: 'step_wake',
  text: `update pattern.task as t set ready_at = now() from json_to_recordset($1) as g(workspace uuid, id uuid)
     where t.workspace = g.workspace and t.id = g.id and t.state = 'waiting' and exists (select from pattern.step as s
       where s.workspace = g.workspace and s.run = g.id and s.state = 'waiting' and s.decision is not null)`,
};

const forget = {
  name: 'step_forget',
  text: `update pattern.step as s set payload = null, comment = null, error_detail = null
      from json_to_recordset($1) as g(workspace uuid, id uuid) where s.workspace = g.workspace and s.run = g.id`,
};

export function createStepStore({ database, vault }: { database: Database; vault: Vault }): StepStore {
  return {
    async keep(client, runs) {
      const steps = runs.flatMap(({ workspace, id, done }) => done.map((record) => ({ workspace, run: id, record })));
      if (steps.length > 0) {
        const payloads = await Promise.all(
          steps.map(({ workspace, run, record }) => seal(vault, workspace, run, record)),
        );
        const { bytes, starts, sizes } = packBytes(payloads);
        const rows = steps.map(({ workspace, run, record }) => ({ workspace, run, ...toRow(record) }));
        await client.query({ ...keep, values: [JSON.stringify(rows), bytes, starts, sizes] });
      }
      const waiting = runs.filter(({ waits }) => waits).map(({ workspace, id }) => ({ workspace, id }));
      if (waiting.length > 0) await client.query({ ...wakeDecided, values: [JSON.stringify(waiting)] });
      const forgotten = runs.filter(({ forgets }) => forgets).map(({ workspace, id }) => ({ workspace, id }));
      if (forgotten.length > 0) await client.query({ ...forget, values: [JSON.stringify(forgotten)] });
    },
    async read({ workspace, id }) {
      const rows = await database.transaction({ role: 'worker', workspace: null }, (transaction) =>
        transaction.query<StepRow>(
          `select ${names}, payload, decision, decided_by, decided_at, comment from pattern.step
            where workspace = $1 and run = $2 order by started_at, path`,
          [workspace, id],
        ),
      );
      await vault.ready(workspace);
      return Promise.all(rows.map((row) => openStep(vault, row)));
    },
  };
}

export interface StepRow {
  readonly workspace: string;
  readonly run: string;
  readonly path: string;
  readonly state: StepRecord['state'];
  readonly pattern: string | null;
  readonly version: number | null;
  readonly model: string | null;
  readonly calls: number;
  readonly attempts: StepRecord['attempts'];
  readonly usage: StepRecord['usage'];
  readonly cost_micros: string | null;
  readonly error_code: ErrorCode | null;
  readonly error_detail: string | null;
  readonly sanitised: boolean;
  readonly why: StepRecord['why'];
  readonly until: Date | null;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly payload: Buffer | null;
  readonly decision: StepDecision['decision'] | null;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly comment: Buffer | null;
}

/** A page of a run's steps in the order of their paths, in a transaction of its workspace. */
export function listSteps(
  transaction: Transaction,
  run: string,
  page: { readonly after: string | null; readonly limit: number },
): Promise<StepRow[]> {
  return transaction.query<StepRow>(
    `select ${names}, payload, decision, decided_by, decided_at, comment from pattern.step
      where run = $1 and ($2::text is null or path > $2) order by path limit $3`,
    [run, page.after, page.limit],
  );
}

function toRow({ error, until, started_at, finished_at, ...record }: StepRecord) {
  const { output: _output, data: _data, decision: _decision, ...rest } = record;
  return {
    ...rest,
    error_code: error?.code ?? null,
    error_detail: error?.detail ?? null,
    until: toTime(until),
    started_at: toTime(started_at),
    finished_at: toTime(finished_at),
  };
}

/** A row with its texts. Needs the vault to be ready for its workspace. */
export async function openStep(vault: Vault, row: StepRow): Promise<StepRecord> {
  const { workspace, run, payload, comment, decision, decided_by, decided_at } = row;
  const { error_code, error_detail, cost_micros, until, started_at, finished_at, ...rest } = row;
  const { path, state, pattern, version, model, calls, attempts, usage, sanitised, why } = rest;
  const texts = payload && ((await openJson(vault, workspace, place(run, path, 'payload'), payload)) as Texts);
  const said = comment && ((await openJson(vault, workspace, place(run, path, 'comment'), comment)) as string);
  return {
    ...{ path, state, pattern, version, model, calls, attempts, usage, sanitised, why },
    cost_micros: cost_micros === null ? null : Number(cost_micros),
    error: error_code === null ? null : { code: error_code, detail: error_detail ?? '' },
    output: texts?.output ?? null,
    ...(texts?.data === undefined ? {} : { data: texts.data }),
    until: until?.getTime() ?? null,
    started_at: started_at.getTime(),
    finished_at: finished_at?.getTime() ?? null,
    decision:
      decision && decided_by && decided_at
        ? { decision, comment: said, actor: decided_by, at: decided_at.getTime() }
        : null,
  };
}

interface Texts {
  readonly output: string | null;
  readonly data?: unknown;
}

function seal(vault: Vault, workspace: string, run: string, { path, output, data }: StepRecord) {
  if (output === null && data === undefined) return null;
  return vault.seal(workspace, place(run, path, 'payload'), Buffer.from(JSON.stringify({ output, data })));
}

/** Seals what a person said with their decision. Needs the vault to be ready for the workspace. */
export function sealComment(vault: Vault, workspace: string, run: string, path: string, comment: string) {
  return vault.seal(workspace, place(run, path, 'comment'), Buffer.from(JSON.stringify(comment)));
}

async function openJson(
  vault: Vault,
  workspace: string,
  at: ReturnType<typeof place>,
  sealed: Buffer,
): Promise<unknown> {
  return JSON.parse((await vault.open(workspace, at, sealed)).toString('utf8'));
}

const place = (run: string, path: string, column: 'payload' | 'comment') => ({
  table: 'pattern.step',
  row: `${run}/${path}`,
  column,
});

const toTime = (milliseconds: number | null) => (milliseconds === null ? null : new Date(milliseconds).toISOString());
