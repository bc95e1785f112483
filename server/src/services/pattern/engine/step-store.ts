import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import { withoutQuote } from '../model/provider-failure.ts';
import { namesOf, packBytes } from '../run/record-columns.ts';
import type { Claim, StepDecision, StepRecord } from './ports.ts';

/** What is to be kept of a run. */
export interface KeptSteps {
  readonly workspace: string;
  readonly id: string;
  readonly done: readonly StepRecord[];
  /** It has ended, and no text of it is to be kept. */
  readonly forgets?: boolean;
}

/** Records of steps on PostgreSQL: kept in the statement that changes their run's work, and read by who takes it up. */
export interface StepStore {
  /** Seals what is to be kept: the four values of `insertSteps`. */
  pack(runs: readonly KeptSteps[]): Promise<unknown[]>;
  read(claim: Claim): Promise<readonly StepRecord[]>;
}

const typed = `workspace uuid, run uuid, path text, state text, pattern text, version int, model text, calls int, attempts jsonb,
  usage jsonb, cost_micros bigint, error_code text, error_detail text, sanitised boolean, flags jsonb, why text, until timestamptz,
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

/**
 * For a statement that has a CTE `held` with the workspace and id of the runs whose work it has changed, and so locked: keeps the
 * steps of these. `first` is the place of the first of the four values that `pack` gives.
 */
export const insertSteps = (first: number) => `insert into pattern.step as step (${names}, payload)
    select ${names}, substring($${first + 1}::bytea from starts for size)
      from rows from (json_to_recordset($${first}) as (${typed}), unnest($${first + 2}::int[], $${first + 3}::int[]))
        as given(${names}, starts, size)
     where exists (select from held where held.workspace = given.workspace and held.id = given.run)
    on conflict (workspace, run, path) do update set ${updated}, payload = excluded.payload, ${decided}`;

/**
 * Lets runs go on that were given back to wait for somebody who has decided meanwhile. A statement of its own, later in the same
 * transaction: whoever decides locks the work first, so either this sees the decision, or the decision sees work that waits.
 */
export const wakeDecided = {
  name: 'step_wake',
  text: `update pattern.task as t set ready_at = now() from json_to_recordset($1) as g(workspace uuid, id uuid)
     where t.workspace = g.workspace and t.id = g.id and t.state = 'waiting' and exists (select from pattern.step as s
       where s.workspace = g.workspace and s.run = g.id and s.state = 'waiting' and s.decision is not null)`,
};

/**
 * Takes away what the steps of these runs hold of texts that are not to be kept. A statement of its own, later in the transaction
 * that ends them: one that keeps steps does not see them.
 */
export const forgetTexts = {
  name: 'step_forget',
  text: `update pattern.step as s set payload = null, comment = null, error_detail = null
      from json_to_recordset($1) as g(workspace uuid, id uuid) where s.workspace = g.workspace and s.run = g.id`,
};

export function createStepStore({ database, vault }: { database: Database; vault: Vault }): StepStore {
  return {
    async pack(runs) {
      const steps = runs.flatMap(({ workspace, id, done, forgets }) =>
        done.map((record) => ({ workspace, run: id, record, forgets })),
      );
      const payloads = await Promise.all(
        steps.map(({ workspace, run, record, forgets }) => (forgets ? null : seal(vault, workspace, run, record))),
      );
      const { bytes, starts, sizes } = packBytes(payloads);
      const rows = steps.map(({ workspace, run, record }) => ({ workspace, run, ...toRow(record) }));
      return [JSON.stringify(rows), bytes, starts, sizes];
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
  readonly flags: StepRecord['flags'] | null;
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
    error_detail: error ? withoutQuote(error.detail) : null,
    until: toTime(until),
    started_at: toTime(started_at),
    finished_at: toTime(finished_at),
  };
}

/** A row with its texts. Needs the vault to be ready for its workspace. */
export async function openStep(vault: Vault, row: StepRow): Promise<StepRecord> {
  const { workspace, run, payload, comment, decision, decided_by, decided_at } = row;
  const { error_code, error_detail, cost_micros, until, started_at, finished_at, ...rest } = row;
  const { path, state, pattern, version, model, calls, attempts, usage, sanitised, flags, why } = rest;
  const texts = payload && ((await openJson(vault, workspace, stepPlace(run, path, 'payload'), payload)) as Texts);
  const said = comment && ((await openJson(vault, workspace, stepPlace(run, path, 'comment'), comment)) as string);
  return {
    ...{ path, state, pattern, version, model, calls, attempts, usage, sanitised, why },
    ...(flags ? { flags } : {}),
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
  return vault.seal(workspace, stepPlace(run, path, 'payload'), Buffer.from(JSON.stringify({ output, data })));
}

/** Seals what a person said with their decision. Needs the vault to be ready for the workspace. */
export function sealComment(vault: Vault, workspace: string, run: string, path: string, comment: string) {
  return vault.seal(workspace, stepPlace(run, path, 'comment'), Buffer.from(JSON.stringify(comment)));
}

async function openJson(
  vault: Vault,
  workspace: string,
  at: ReturnType<typeof stepPlace>,
  sealed: Buffer,
): Promise<unknown> {
  return JSON.parse((await vault.open(workspace, at, sealed)).toString('utf8'));
}

/** What seals the texts of a step. */
export const stepPlace = (run: string, path: string, column: 'payload' | 'comment') => ({
  table: 'pattern.step',
  row: `${run}/${path}`,
  column,
});

const toTime = (milliseconds: number | null) => (milliseconds === null ? null : new Date(milliseconds).toISOString());
