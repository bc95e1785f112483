import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { RunStep } from '@damask/contracts/run-step.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import type { StepRecord } from '../engine/ports.ts';
import { openStep } from '../engine/step-store.ts';
import { type CallingRow, listCalling, readMaker, listRunSteps as readPage } from './run-steps-store.ts';

type Operation = (typeof runOperations)['listRunSteps'];

export interface StepListParts {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly vault: Vault;
}

const bytesOfPage = 8 * 1024 * 1024;
const noUsage = { input_tokens: null, output_tokens: null, cached_input_tokens: null, reasoning_tokens: null };

/** Steps of a run with their texts opened. Those whose call is out come last; they have no text yet. Errors: `not_found`. */
export async function listRunSteps(
  { database, cursors, vault }: StepListParts,
  { workspace }: CallContext,
  { run, path: within, limit = 50, cursor }: InputOf<Operation>,
): Promise<OutputOf<Operation>> {
  const path = within ?? null;
  const scope = { list: 'steps', workspace, filter: JSON.stringify([run, path]) };
  const [startedAt, last] = cursor === undefined ? [] : cursors.decode(scope, cursor);
  const after = startedAt !== undefined && last !== undefined ? { startedAt, path: last } : null;
  const { actor, rows, calling } = await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const maker = await readMaker(transaction, run);
    if (maker === undefined) throw notFound();
    const found = await readPage(transaction, { run, path, after, limit: limit + 1, bytes: bytesOfPage });
    return { actor: maker, rows: found, calling: await listCalling(transaction, run, path) };
  });
  await vault.ready(workspace);
  const full = rows.findIndex(({ over }) => over);
  const taken = rows.slice(0, full === -1 ? limit : Math.min(full, limit));
  const items = await Promise.all(taken.map(async (row) => toStep(await openStep(vault, row))));
  const end = taken.at(-1);
  const place = (row: typeof end) => cursors.encode(scope, [String(row?.started_at.getTime()), row?.path ?? '']);
  return rows.length > taken.length && end
    ? { actor, items, next: place(end) }
    : { actor, items: [...items, ...calling.map(toRunning)] };
}

export function toStep(record: StepRecord): RunStep {
  const { path, state, why, until, pattern, version, model, attempts, usage, cost_micros, error, output } = record;
  const { decision, started_at, finished_at } = record;
  return {
    ...{ path, state, waits_for: why, until: toTime(until), pattern, version, model },
    ...{ attempts: [...attempts], usage, cost_micros, error, output },
    ...(record.data === undefined ? {} : { data: record.data }),
    ...(record.flags ? { flags: [...record.flags] } : {}),
    ...(decision ? { decision: { ...decision, at: new Date(decision.at).toISOString() } } : {}),
    started_at: toTime(started_at),
    finished_at: toTime(finished_at),
  };
}

function toRunning({ step, model }: CallingRow): RunStep {
  return {
    ...{ path: step, state: 'running', waits_for: null, until: null, pattern: null, version: null, model },
    ...{ attempts: [], usage: noUsage, cost_micros: null, error: null, output: null },
    ...{ started_at: null, finished_at: null },
  };
}

const toTime = (milliseconds: number | null) => (milliseconds === null ? null : new Date(milliseconds).toISOString());
