import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { timerOperations } from '@damask/contracts/timer.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { type CronSchedule, readCron } from './cron-schedule.ts';
import { inWorkspace, type TimerParts } from './timer-parts.ts';
import { sealRun } from './timer-run.ts';
import * as store from './timer-store.ts';

type PutTimer = typeof timerOperations.putTimer;

/** Timers of a workspace. */
const mostTimers = 1_000;

/** Creates or replaces a timer. Its run is planned once, so that what is wrong with it is told now and not by night. */
export async function putTimer(
  parts: TimerParts,
  context: CallContext,
  input: InputOf<PutTimer>,
): Promise<OutputOf<PutTimer>> {
  const { workspace, actor } = context;
  const { timer: name, cron, time_zone = 'UTC', run, paused = false } = input;
  const schedule = readCron(cron, time_zone);
  const [starts, ends] = [readTime(input.starts_at), readTime(input.ends_at)];
  await parts.runs.plan(context, run).catch(inRun);
  await parts.vault.ready(workspace);
  const sealed = await sealRun(parts.vault, workspace, name, run);
  return inWorkspace(parts, workspace, async (transaction) => {
    const now = await store.readNow(transaction);
    const first = firstTick(schedule, { now, starts, ends });
    if (!(await store.findTimer(transaction, name)) && (await store.countTimers(transaction)) >= mostTimers) {
      throw new AppError('policy_refused', `A workspace has at most ${mostTimers} timers. Delete one first.`);
    }
    await parts.trail.look(transaction, `timer/${name}`);
    await store.putTimer(transaction, workspace, {
      name,
      cron: cron.trim(),
      time_zone,
      missed: input.missed ?? 'last',
      overlap: input.overlap ?? 'allow',
      paused,
      starts_at: starts,
      ends_at: ends,
      pattern: run.pattern,
      run: sealed,
      actor_kind: actor.kind,
      actor: actor.id,
      next_at: paused ? null : first,
      updated_at: now,
    });
    await parts.trail.leave(transaction, context, {
      action: 'putTimer',
      subject: `timer/${name}`,
      details: { cron: cron.trim(), time_zone, pattern: run.pattern, paused },
      event: 'pattern.timer-put',
      data: { timer: name },
    });
    const [listed] = await store.listTimers(transaction, { after: null, limit: 1, name });
    if (!listed) throw new Error('A timer that was just put is not there');
    return store.toSummary(listed.timer, listed.last);
  });
}

/** Milliseconds since 1970 of the first tick. Errors: `invalid_request` when there is none. */
function firstTick(
  schedule: CronSchedule,
  { now, starts, ends }: { now: number; starts: number | null; ends: number | null },
): number {
  if (ends !== null && ends <= now)
    throw invalid('/ends_at', 'This end has passed. Leave it out, or name a later one.');
  const first = schedule.next(Math.max(now, (starts ?? now) - 1));
  if (first === null) {
    throw invalid(
      '/cron',
      'This cron never comes: no month has such a day. "0 6 L * *" is the last day of each month.',
    );
  }
  if (ends !== null && first > ends) {
    throw invalid('/ends_at', `The timer would end before its first tick at ${new Date(first).toISOString()}.`);
  }
  return first;
}

function readTime(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

function invalid(pointer: string, message: string): AppError {
  return new AppError('invalid_request', message, { pointer });
}

/** A field of the run lies under `run` here. */
function inRun(error: unknown): never {
  if (!(error instanceof AppError) || error.details.pointer === undefined) throw error;
  throw new AppError(error.code, error.message, { ...error.details, pointer: `/run${error.details.pointer}` });
}
