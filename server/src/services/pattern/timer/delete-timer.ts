import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { timerOperations } from '@damask/contracts/timer.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type TimerParts } from './timer-parts.ts';
import * as store from './timer-store.ts';

type DeleteTimer = typeof timerOperations.deleteTimer;

/** Answers what it was. Runs that it started go on. */
export function deleteTimer(
  parts: TimerParts,
  context: CallContext,
  { timer: name }: InputOf<DeleteTimer>,
): Promise<OutputOf<DeleteTimer>> {
  return inWorkspace(parts, context.workspace, async (transaction) => {
    const [found] = await store.listTimers(transaction, { after: null, limit: 1, name });
    if (!found) throw notFound();
    await parts.trail.look(transaction, `timer/${name}`);
    await store.deleteTimer(transaction, name);
    await parts.trail.leave(transaction, context, {
      action: 'deleteTimer',
      subject: `timer/${name}`,
      event: 'pattern.timer-deleted',
      data: { timer: name },
    });
    return store.toSummary(found.timer, found.last);
  });
}
