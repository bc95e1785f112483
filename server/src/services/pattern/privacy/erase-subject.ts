import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { systemContext } from '#platform/system-context.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { Trail } from '#platform/trail.ts';
import { chunkPlace } from '../batch/batch-parts.ts';
import { sealTurns } from '../conversation/turn-text.ts';
import * as store from './erasure-store.ts';
import { type HoldRow, holdOn } from './legal-holds.ts';
import { allHolds, noteRemovals, type RunningErasure } from './privacy-store.ts';
import { removeIn, shredSteps } from './retention-store.ts';
import { privacyTopic } from './run-privacy.ts';
import * as subjects from './subject-store.ts';
import { findTimers, type SearchParts, searchChunk } from './subject-things.ts';

export interface ErasureParts extends SearchParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly trail: Trail;
  /** Stops a run, wherever it is executed. Errors: `run_finished`. */
  readonly cancelRun: (workspace: string, run: string) => Promise<unknown>;
}

const runsAtOnce = 100;
/** Milliseconds within which every process has heard of the erasure, and what it accepted before is written. */
const settledAfter = 2_000;
const inPlace = '(erased)';

/**
 * One round of an erasure, in small transactions that each stay done. True once it has ended: a search has found nothing, or a
 * hold came in between. False: something is still under way, or in another process's hands.
 */
export async function eraseRound(parts: ErasureParts, erasure: RunningErasure): Promise<boolean> {
  const { workspace, id, subject } = erasure;
  await parts.vault.ready(workspace);
  const steps = [eraseKey, eraseTimers, eraseLines, cancelOpen, eraseEnded] as const;
  for (const step of steps) {
    const came = await step(parts, erasure);
    if (came === 'busy') return false;
    if (came !== undefined) return end(parts, erasure, 'held', came.name);
  }
  const left = await removeIn(parts.database, workspace, async (transaction) => {
    const row = await store.readErasure(transaction, id);
    const chunk = await findLines(parts, transaction, erasure, undefined);
    const timers = await findTimers(parts, transaction, workspace, subject);
    const rows = await subjects.countLeft(transaction, workspace, subject);
    return rows + timers.length + (chunk ? 1 : 0) + ((row?.age ?? 0) < settledAfter ? 1 : 0);
  });
  return left === 0 ? end(parts, erasure, 'done', null) : false;
}

/** A hold that stops it, or undefined; `busy` when the step could not be taken. */
type StepResult = Promise<Pick<HoldRow, 'name'> | 'busy' | undefined>;

function eraseKey({ database }: ErasureParts, { workspace, id, subject }: RunningErasure): StepResult {
  return removeIn(database, workspace, async (transaction) => {
    const hold = await store.findHoldOn(transaction, workspace, subject);
    if (hold) return hold;
    if (!(await subjects.deleteKey(transaction, workspace, subject))) return undefined;
    const row = await store.readErasure(transaction, id);
    // A run that ended meanwhile has made another one.
    if (!row?.counts.keys) await store.addCounts(transaction, id, { keys: 1 });
    await bumpTopic(transaction, privacyTopic);
    return undefined;
  });
}

function eraseTimers(parts: ErasureParts, { workspace, id, subject }: RunningErasure): StepResult {
  return removeIn(parts.database, workspace, async (transaction) => {
    const timers = await findTimers(parts, transaction, workspace, subject);
    for (const { timer } of timers) await subjects.deleteTimerOf(transaction, workspace, timer);
    if (timers.length > 0) await store.addCounts(transaction, id, { timers: timers.length });
    return undefined;
  });
}

/** The next chunk that holds lines of the subject. */
async function findLines(
  parts: ErasureParts,
  transaction: Transaction,
  { workspace, subject }: RunningErasure,
  after: { readonly batch: string; readonly first: number } | undefined,
) {
  for (let place = after; ; ) {
    const found = await searchChunk(parts, transaction, workspace, subject, place);
    if (!found || found.own.length > 0) return found;
    place = found.chunk;
  }
}

async function eraseLines(parts: ErasureParts, erasure: RunningErasure): StepResult {
  const { vault, database } = parts;
  const { workspace, id } = erasure;
  for (let place: { batch: string; first: number } | undefined, more = true; more; ) {
    const came = await removeIn(database, workspace, async (transaction) => {
      const found = await findLines(parts, transaction, erasure, place);
      if (!found) return undefined;
      const { chunk, lines, own } = found;
      const gone = new Set(own.map(({ line }) => line));
      const kept = lines.map((line) => (gone.has(line.line) ? { line: line.line, erased: true } : line));
      const bytes = Buffer.from(JSON.stringify(kept));
      const at = chunkPlace('batch_chunk', chunk.batch, chunk.first);
      const content = await vault.seal(workspace, at, bytes);
      const others = lines.some(({ line, metadata }) => !gone.has(line) && metadata?.subject !== undefined);
      await subjects.replaceChunk(transaction, workspace, { ...chunk, content }, others);
      await store.addCounts(transaction, id, { batch_lines: own.length });
      return chunk;
    });
    if (came === 'busy') return 'busy';
    place = came;
    more = came !== undefined;
  }
  return undefined;
}

/** What is queued or under way is broken off: its end is erased like the others. */
async function cancelOpen(
  { database, cancelRun }: ErasureParts,
  { workspace, id, subject }: RunningErasure,
): StepResult {
  const open = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
    subjects.listOpenRuns(transaction, workspace, subject, runsAtOnce),
  );
  const noted = await removeIn(database, workspace, (transaction) => store.noteCancelled(transaction, id, open.length));
  if (noted === 'busy') return 'busy';
  for (const run of open) {
    try {
      await cancelRun(workspace, run.id);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'run_finished') throw error;
    }
  }
  return undefined;
}

async function eraseEnded(parts: ErasureParts, { workspace, id, subject }: RunningErasure): StepResult {
  const { database, vault, clock } = parts;
  for (let more = true; more; ) {
    const came = await removeIn(database, workspace, async (transaction): Promise<HoldRow | number> => {
      const runs = await subjects.listSubjectRuns(transaction, workspace, subject, runsAtOnce);
      if (runs.length === 0) return 0;
      const holds = await allHolds(transaction);
      for (const { pattern, accepted_at: at } of runs) {
        const hold = holdOn(holds, { subject, pattern, from: at, to: at });
        if (hold) return hold;
      }
      const turns = await subjects.listTurnsOf(transaction, workspace, runs);
      for (const { id: session, number, role } of turns) {
        const said = { role, content: inPlace, attachments: [] };
        const [sealed] = await sealTurns(vault, { workspace, id: session }, number, [said]);
        if (sealed) await subjects.overwriteTurn(transaction, workspace, { id: session, number }, sealed);
      }
      const ids = runs.map((run) => run.id);
      const { steps, pieces } = await shredSteps(transaction, workspace, ids);
      await subjects.eraseRuns(transaction, workspace, ids);
      await store.addCounts(transaction, id, { runs: runs.length, turns: turns.length, steps, pieces });
      const things = runs.map(({ data_class, environment, accepted_at }) => ({
        data_class,
        environment,
        at: accepted_at,
      }));
      await noteRemovals(
        transaction,
        workspace,
        { reason: 'erasure', of: 'runs', way: 'shredded' },
        things,
        clock.uuid,
      );
      return runs.length;
    });
    if (came === 'busy') return 'busy';
    if (typeof came !== 'number') return came;
    more = came === runsAtOnce;
  }
  return undefined;
}

async function end(
  { database, clock, trail, log }: ErasureParts,
  { workspace, id, subject }: RunningErasure,
  state: 'done' | 'held',
  hold: string | null,
): Promise<boolean> {
  const came = await removeIn(database, workspace, async (transaction) => {
    const row = await store.readErasure(transaction, id);
    if (row?.state !== 'running') return;
    await store.endErasure(transaction, id, state, hold);
    // The HMAC stays here: who knows the name can prove what was done.
    await trail.leave(
      transaction,
      { ...systemContext(clock), workspace },
      {
        action: 'endErasure',
        subject: `subject/${subject}`,
        details: { erasure: id, state, hold, ...row.counts },
        event: 'pattern.subject-erased',
        data: { erasure: id, state },
      },
    );
    await bumpTopic(transaction, privacyTopic);
  });
  if (came !== 'busy') log.info('An erasure of a data subject has ended', { erasure: id, state });
  return came !== 'busy';
}
