import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { type Clock, systemClock } from '#platform/clock.ts';
import { createCallerWatch } from './watch-callers.ts';

/** A watch whose timers run when `pass` is called, and an edge that refuses with what `refusals` holds. */
function setUp() {
  const timers: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (_, call) => {
      timers.push(call);
      return { cancel: () => undefined };
    },
  };
  const refusals = new Map<unknown, AppError>();
  const watch = createCallerWatch((request) => {
    const refusal = refusals.get(request);
    if (refusal) throw refusal;
  }, clock);
  const begin = () => {
    const request = {} as IncomingMessage;
    const abort = new AbortController();
    watch.watch(request, abort);
    return { request, abort };
  };
  const pass = () => {
    for (const call of timers.splice(0)) call();
  };
  return { watch, refusals, begin, pass, timers };
}

test('Z-7: a run whose key is revoked is aborted, the others go on', () => {
  const { refusals, begin, pass } = setUp();
  const [revoked, guessed, other] = [begin(), begin(), begin()];
  pass();
  refusals.set(revoked.request, new AppError('unauthenticated', 'no'));
  refusals.set(guessed.request, new AppError('rate_limited', 'no, and too often'));
  pass();
  assert.deepEqual(
    [revoked, guessed, other].map(({ abort }) => abort.signal.aborted),
    [true, true, false],
  );
  assert.match((revoked.abort.signal.reason as AppError).message, /revoked or has expired/);
});

test('while the keys cannot be checked nothing is aborted', () => {
  const { refusals, begin, pass } = setUp();
  const { request, abort } = begin();
  refusals.set(request, new AppError('unavailable', 'out of date'));
  pass();
  assert.equal(abort.signal.aborted, false);
  refusals.set(request, new AppError('unauthenticated', 'no'));
  pass();
  assert.equal(abort.signal.aborted, true);
});

test('what has ended is forgotten, and without anything to watch no timer runs', () => {
  const { watch, refusals, begin, pass, timers } = setUp();
  const { request, abort } = begin();
  begin();
  assert.equal(timers.length, 1);
  watch.forget(abort);
  refusals.set(request, new AppError('unauthenticated', 'no'));
  pass();
  assert.equal(abort.signal.aborted, false);
  assert.equal(timers.length, 1);
  const quiet = setUp();
  quiet.watch.forget(quiet.begin().abort);
  quiet.pass();
  assert.equal(quiet.timers.length, 0);
});
