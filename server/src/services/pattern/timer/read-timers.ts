import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { timerOperations } from '@damask/contracts/timer.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type TimerParts } from './timer-parts.ts';
import { openRun } from './timer-run.ts';
import * as store from './timer-store.ts';

type Operations = typeof timerOperations;

export async function listTimers(
  parts: TimerParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<Operations['listTimers']>,
): Promise<OutputOf<Operations['listTimers']>> {
  const list = { list: 'listTimers', workspace };
  const [after = null] = cursor === undefined ? [] : parts.cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, workspace, (transaction) =>
    store.listTimers(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit).map(({ timer, last }) => store.toSummary(timer, last));
  const end = items.at(-1);
  return rows.length > limit && end ? { items, next: parts.cursors.encode(list, [end.name]) } : { items };
}

export async function readTimer(
  parts: TimerParts,
  { workspace }: CallContext,
  { timer: name }: InputOf<Operations['readTimer']>,
): Promise<OutputOf<Operations['readTimer']>> {
  const [found] = await inWorkspace(parts, workspace, (transaction) =>
    store.listTimers(transaction, { after: null, limit: 1, name }),
  );
  if (!found) throw notFound();
  const run = await openRun(parts.vault, workspace, name, found.timer.run);
  return { ...store.toSummary(found.timer, found.last), run };
}

export async function listTimerTicks(
  parts: TimerParts,
  { workspace }: CallContext,
  { timer, limit = 50, cursor }: InputOf<Operations['listTimerTicks']>,
): Promise<OutputOf<Operations['listTimerTicks']>> {
  const list = { list: 'listTimerTicks', workspace, filter: timer };
  const [before = null] = cursor === undefined ? [] : parts.cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, workspace, async (transaction) => {
    if (!(await store.findTimer(transaction, timer))) throw notFound();
    return store.listTicks(transaction, timer, { before, limit: limit + 1 });
  });
  const items = rows.slice(0, limit);
  const end = items.at(-1);
  return rows.length > limit && end ? { items, next: parts.cursors.encode(list, [end.at]) } : { items };
}
