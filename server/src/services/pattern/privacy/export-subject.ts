import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { privacyOperations, SubjectRecord } from '@damask/contracts/privacy.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { toStep } from '../chain/list-run-steps.ts';
import { openTurns } from '../conversation/turn-text.ts';
import { listSteps, openStep, type StepRow } from '../engine/step-store.ts';
import { openRequest } from '../run/queued-request.ts';
import { readRun } from '../run/read-run.ts';
import type { PrivacyParts } from './privacy-parts.ts';
import { listSubjectRunIds, listTurnsOf, readTaskRequest, type SubjectTurn } from './subject-store.ts';
import { findTimers, searchChunk } from './subject-things.ts';

type Export = typeof privacyOperations.exportSubject;

/** Bytes of texts after which a page is full. */
const bytesOfPage = 8 * 1024 * 1024;
const stepsAtOnce = 200;
const chunksAtOnce = 20;

/**
 * A page of what is kept about a subject: its runs by age, each with what it said in a session, then lines of batches, then
 * timers. The first page leaves an audit row.
 */
export async function exportSubject(
  parts: PrivacyParts,
  context: CallContext,
  { subject: name, limit = 20, cursor }: InputOf<Export>,
): Promise<OutputOf<Export>> {
  const { workspace } = context;
  await parts.vault.ready(workspace);
  const subject = parts.digestSubject(workspace, name);
  const scope = { list: 'exportSubject', workspace, filter: subject };
  const [phase = 'runs', one = '', two = ''] = cursor === undefined ? [] : parts.cursors.decode(scope, cursor);
  if (cursor === undefined) await leaveAudit(parts, context, subject);
  const next = (...place: string[]) => parts.cursors.encode(scope, place);
  if (phase === 'runs') {
    const { items, last } = await exportRuns(parts, workspace, subject, { after: one || null, limit });
    return { items, next: last === null ? next('lines') : next('runs', last) };
  }
  if (phase === 'lines') {
    const after = one === '' ? undefined : { batch: one, first: Number(two) };
    const { items, last } = await exportLines(parts, workspace, subject, after);
    return { items, next: last === undefined ? next('timers') : next('lines', last.batch, String(last.first)) };
  }
  const timers = await asPattern(parts, workspace, (transaction) => findTimers(parts, transaction, workspace, subject));
  return { items: timers.map(({ timer, run }) => ({ kind: 'timer', timer, run })) };
}

const asPattern = <Result>(
  { database }: PrivacyParts,
  workspace: string,
  work: (transaction: Transaction) => Promise<Result>,
) => database.transaction({ role: 'pattern', workspace }, work);

function leaveAudit(parts: PrivacyParts, context: CallContext, subject: string): Promise<void> {
  return asPattern(parts, context.workspace, (transaction) =>
    parts.trail.leave(transaction, context, {
      action: 'exportSubject',
      subject: `subject/${subject}`,
      event: 'pattern.subject-exported',
      data: {},
    }),
  );
}

async function exportRuns(
  parts: PrivacyParts,
  workspace: string,
  subject: string,
  page: { readonly after: string | null; readonly limit: number },
): Promise<{ items: SubjectRecord[]; last: string | null }> {
  const runs = await asPattern(parts, workspace, (transaction) =>
    listSubjectRunIds(transaction, workspace, subject, page),
  );
  const items: SubjectRecord[] = [];
  let bytes = 0;
  let last: string | null = null;
  for (const { id, session } of runs) {
    if (bytes > bytesOfPage) return { items, last };
    const run = await readWhole(parts, workspace, id);
    last = id;
    if (!run) continue;
    const { steps, turns } = await asPattern(parts, workspace, async (transaction) => ({
      steps: await listSteps(transaction, id, { after: null, limit: stepsAtOnce }),
      turns: await listTurnsOf(transaction, workspace, [{ id, session }]),
    }));
    items.push({ kind: 'run', run, steps: await openSteps(parts, steps) });
    for (const turn of turns) items.push(await openTurn(parts, workspace, turn));
    bytes += (run.input?.length ?? 0) + (run.output?.length ?? 0);
  }
  return { items, last: runs.length === page.limit ? last : null };
}

const openSteps = (parts: PrivacyParts, rows: readonly StepRow[]) =>
  Promise.all(rows.map(async (row) => toStep(await openStep(parts.vault, row))));

/** A run that has not ended has its input with its work. Undefined where retention was faster. */
async function readWhole(parts: PrivacyParts, workspace: string, id: string): Promise<Run | undefined> {
  const run = await readRun(parts.runs, workspace, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  });
  if (!run || run.finished_at !== null) return run;
  const sealed = await asPattern(parts, workspace, (transaction) => readTaskRequest(transaction, workspace, id));
  if (!sealed) return run;
  const { request } = await openRequest(parts.vault, { workspace, id }, sealed);
  return { ...run, input: request.input, variables: request.variables ?? {} };
}

async function openTurn(parts: PrivacyParts, workspace: string, turn: SubjectTurn): Promise<SubjectRecord> {
  const [said] = await openTurns(parts.vault, { workspace, id: turn.id }, [turn]);
  const { name: session, number, role, run } = turn;
  return { kind: 'turn', session, number, role, content: said?.content ?? '', run };
}

async function exportLines(
  parts: PrivacyParts,
  workspace: string,
  subject: string,
  after: { readonly batch: string; readonly first: number } | undefined,
): Promise<{ items: SubjectRecord[]; last: { batch: string; first: number } | undefined }> {
  const items: SubjectRecord[] = [];
  let last = after;
  for (let looked = 0; looked < chunksAtOnce; looked++) {
    const found = await asPattern(parts, workspace, (transaction) =>
      searchChunk(parts, transaction, workspace, subject, last),
    );
    if (!found) return { items, last: undefined };
    last = { batch: found.chunk.batch, first: found.chunk.first };
    for (const { line, same: _, erased: __, ...item } of found.own) {
      items.push({ kind: 'batch_line', batch: last.batch, line, item });
    }
  }
  return { items, last };
}
