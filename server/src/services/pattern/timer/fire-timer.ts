import type { TimerRun, TimerTick } from '@damask/contracts/timer.ts';
import { AppError } from '#platform/app-error.ts';
import { type CallContext, everywhere } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { readCron } from './cron-schedule.ts';
import { findDueTicks } from './due-ticks.ts';
import { inWorkspace, type PlannedRun, type TimerParts } from './timer-parts.ts';
import { openRun } from './timer-run.ts';
import * as store from './timer-store.ts';

/** A tick that is about to be kept. */
interface Firing {
  readonly at: number;
  readonly planned: PlannedRun | null;
  readonly state: TimerTick['state'];
  readonly error: TimerTick['error'];
}

/** Milliseconds that the plan of a run may take. */
const planWithin = 30_000;

/**
 * Fires what is due of a timer. Each tick is kept in the transaction that accepts its run, so it starts one run in the whole
 * cluster or none. Throws `unavailable` when it should be tried again.
 */
export async function fireTimer(parts: TimerParts, { workspace, name, due }: store.DueTimer): Promise<void> {
  const seen = await inWorkspace(parts, workspace, async (transaction) => {
    const timer = await store.findTimer(transaction, name);
    return timer?.next_at === due ? { timer, now: await store.readNow(transaction) } : undefined;
  });
  if (!seen) return;
  const { timer, now } = seen;
  const schedule = readCron(timer.cron, timer.time_zone);
  const { ticks, next } = findDueTicks(schedule, { from: due, endsAt: timer.ends_at, missed: timer.missed }, now);
  const run = await openRun(parts.vault, workspace, name, timer.run);
  const context = actAs(parts, workspace, timer);
  const firings: Firing[] = [];
  const error = parts.stopped.refusal(workspace, timer.actor, timer.updated_at) ?? null;
  for (const { at, fire } of ticks) {
    firings.push(
      fire && error
        ? { at, planned: null, state: 'failed', error }
        : fire
          ? await plan(parts, context, name, run, at)
          : { at, planned: null, state: 'missed', error: null },
    );
  }
  const started = await inWorkspace(parts, workspace, async (transaction) => {
    const current = await store.lockDue(transaction, name, due);
    // Somebody else fired it, or put it anew in the meantime.
    if (!current || current.updated_at !== timer.updated_at) return [];
    await store.moveTimer(transaction, name, next);
    return keepTicks(parts, transaction, context, timer, firings);
  });
  for (const planned of started) planned.announce();
}

async function plan(
  parts: TimerParts,
  context: CallContext,
  timer: string,
  run: TimerRun,
  at: number,
): Promise<Firing> {
  const metadata = { ...run.metadata, timer, tick: new Date(at).toISOString() };
  try {
    return { at, planned: await parts.runs.plan(context, { ...run, metadata }), state: 'fired', error: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'unavailable') throw error;
    return { at, planned: null, state: 'failed', error: { code: error.code, detail: error.message } };
  }
}

async function keepTicks(
  parts: TimerParts,
  transaction: Transaction,
  context: CallContext,
  timer: store.TimerRow,
  firings: readonly Firing[],
): Promise<PlannedRun[]> {
  const { name } = timer;
  const last = timer.overlap === 'skip' ? await store.findLastStarted(transaction, name) : undefined;
  let busy = last !== undefined && (await parts.runs.isOpen(transaction, last));
  const settled = firings.map((firing): Firing => {
    if (firing.planned === null) return firing;
    if (busy) return { ...firing, planned: null, state: 'skipped' };
    busy = timer.overlap === 'skip';
    return firing;
  });
  const kept = await store.addTicks(
    transaction,
    context.workspace,
    name,
    settled.map(({ at, state, error, planned }) => ({
      at,
      state,
      error,
      run: planned?.kind === 'run' ? planned.id : null,
      batch: planned?.kind === 'batch' ? planned.id : null,
    })),
  );
  const started: PlannedRun[] = [];
  for (const { at, planned, error } of settled) {
    if (!kept.has(at)) continue;
    if (error) {
      await parts.trail.leave(transaction, context, {
        action: 'fireTimer',
        subject: `timer/${name}`,
        details: { at: new Date(at).toISOString(), code: error.code },
        event: 'pattern.timer-failed',
        data: { timer: name, at: new Date(at).toISOString(), code: error.code },
      });
    }
    if (!planned) continue;
    await planned.accept(transaction);
    started.push(planned);
  }
  return started;
}

/** The timer's runs are of whoever put it. */
function actAs({ clock }: TimerParts, workspace: string, timer: store.TimerRow): CallContext {
  return {
    requestId: clock.uuid(),
    workspace,
    actor: { kind: timer.actor_kind, id: timer.actor, name: `timer ${timer.name}`, role: 'runner' },
    permissions: new Set(['run:execute']),
    reach: everywhere,
    deadline: clock.now() + planWithin,
    signal: new AbortController().signal,
  };
}
