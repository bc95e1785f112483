import type { Run, StepCounts } from '@damask/contracts/run.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { Transaction } from '#platform/database/database.ts';
import { describeAttachments } from '../conversation/attach.ts';
import type { Payload } from './payloads.ts';
import {
  type AcceptedRow,
  type FinishedRow,
  nobody,
  summarizeAccepted,
  summarizeFinished,
  type TaskFacts,
} from './record.ts';
import type { RunParts } from './run-parts.ts';
import { readAccepted, readFinished } from './store.ts';
import { bareJson } from './structured-output.ts';
import { readStepTotals, readTaskFacts, type StepTotals } from './task-facts-store.ts';

/** A run as its record tells it. Errors: `not_found`. */
export async function readRun(parts: RunParts, workspace: string, id: string): Promise<Run> {
  const found = await parts.database.transaction({ role: 'pattern', workspace }, (transaction) =>
    findWithSteps(transaction, id),
  );
  const { finished, totals } = found;
  const steps = totals && isChainRun(totals.steps) ? { steps: totals.steps } : {};
  if (!finished) {
    const open = toOpenRun(found.accepted, found.task);
    return totals ? { ...open, cost_micros: totals.cost_micros, ...steps } : open;
  }
  const { payload, ...row } = finished;
  // Outside the transaction: the key may have to be read, which takes a connection of its own.
  const texts = await openPayload(parts, row, payload);
  const { error, ...summary } = summarizeFinished(row);
  return {
    ...summary,
    // Unless the end was replaced afterwards, by one that was recorded too late.
    error: error && texts?.error_detail?.startsWith(error.detail) ? { ...error, detail: texts.error_detail } : error,
    attempts: [...row.attempts],
    sanitised: row.sanitised,
    input: texts?.input ?? null,
    variables: texts?.variables ?? {},
    attachments: describeAttachments(texts?.attachments),
    output: texts?.output ?? null,
    ...(texts?.tool_calls ? { tool_calls: [...texts.tool_calls] } : {}),
    ...(texts?.json ? { data: JSON.parse(bareJson(texts.output)) as unknown } : {}),
    ...(texts?.subject === undefined ? {} : { subject: texts.subject }),
    ...steps,
  };
}

const isChainRun = (steps: StepCounts) => Object.values(steps).some((count) => count > 0);

/** A run that has not ended: nothing of its texts is told yet. */
export function toOpenRun(row: AcceptedRow, task: TaskFacts | undefined): Run {
  return {
    ...summarizeAccepted(row, task),
    attempts: [],
    sanitised: false,
    input: null,
    variables: {},
    attachments: [],
    output: null,
  };
}

type FoundRun =
  | { readonly finished: NonNullable<Awaited<ReturnType<typeof readFinished>>> }
  | { readonly finished?: undefined; readonly accepted: AcceptedRow; readonly task: TaskFacts | undefined };

/** A run of the transaction's workspace, ended or not. Errors: `not_found`. */
export async function findRun(transaction: Transaction, id: string): Promise<FoundRun> {
  const finished = await readFinished(transaction, id);
  if (finished) return { finished };
  const accepted = await readAccepted(transaction, id);
  if (!accepted) throw notFound();
  const task = await readTaskFacts(transaction, id);
  if (task || accepted.process !== nobody) return { accepted, task };
  // It was queued, and has ended between the looks.
  const ended = await readFinished(transaction, id);
  return ended ? { finished: ended } : { accepted, task };
}

async function findWithSteps(transaction: Transaction, id: string): Promise<FoundRun & { totals?: StepTotals }> {
  const found = await findRun(transaction, id);
  // The attempts of a chain are with its steps.
  const looks = found.finished ? found.finished.attempts.length === 0 : found.task !== undefined;
  const totals = looks ? await readStepTotals(transaction, id) : undefined;
  return totals ? { ...found, totals } : found;
}

/** The texts of a run; null where none are kept. */
export async function openPayload(
  { engine }: Pick<RunParts, 'engine'>,
  row: Pick<FinishedRow, 'workspace' | 'id'>,
  payload: Buffer | null,
): Promise<Payload | null> {
  try {
    return payload && (await engine.payloads.open(row, payload));
  } catch (error) {
    if (error instanceof AppError && error.code === 'payload_gone') return null;
    throw error;
  }
}
