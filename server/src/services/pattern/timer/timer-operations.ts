import type { timerOperations } from '@damask/contracts/timer.ts';
import type { Implementation } from '#platform/call.ts';
import { deleteTimer } from './delete-timer.ts';
import { putTimer } from './put-timer.ts';
import { listTimers, listTimerTicks, readTimer } from './read-timers.ts';
import type { TimerParts } from './timer-parts.ts';

/** Timers. Inputs are checked and permissions asked for before they come here. */
export function createTimerOperations(parts: TimerParts): Implementation<typeof timerOperations> {
  return {
    /** By name, without texts. Errors: `invalid_cursor`. */
    listTimers: (context, input) => listTimers(parts, context, input),
    /** Errors: `not_found`. */
    readTimer: (context, input) => readTimer(parts, context, input),
    /** Can be repeated. Errors: `invalid_request` for a cron that never comes, and what `createRun` says of its run. */
    putTimer: (context, input) => putTimer(parts, context, input),
    /** Errors: `not_found`. */
    deleteTimer: (context, input) => deleteTimer(parts, context, input),
    /** Newest first. Errors: `not_found`, `invalid_cursor`. */
    listTimerTicks: (context, input) => listTimerTicks(parts, context, input),
  };
}
