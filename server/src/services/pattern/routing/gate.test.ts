import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '#platform/log.ts';
import { createFakeClock } from '#platform/testing/fake-clock.ts';
import type { ProviderFailure } from '../model/provider-failure.ts';
import { type Caller, Gate, noLimits } from './gate.ts';

function openGate() {
  const clock = createFakeClock();
  const logged: string[] = [];
  const log = { error: (message: string) => void logged.push(message) } as unknown as Log;
  const gate = new Gate({ name: 'a', workspace: 'w', clock, log });
  const newCaller = (model = 'm') => {
    const seen: (ProviderFailure | 'entered')[] = [];
    const caller: Caller = {
      model,
      enter: () => void seen.push('entered'),
      refuse: (refusal) => void seen.push(refusal),
    };
    return { ...caller, seen };
  };
  const failure: ProviderFailure = { code: 'provider_error', detail: 'no' };
  const refusal: ProviderFailure = { code: 'provider_auth', detail: 'no' };
  /** Asks and, where the call goes out, ends it at once. */
  const call = (how: 'ok' | 'fail' | 'refuse' | 'leave', model = 'm') => {
    const caller = newCaller(model);
    const answer = gate.ask(caller, 0, 1_000);
    if (answer !== 'go') return answer;
    if (how === 'ok') gate.ended(caller, 'alive', null, 5, 0);
    else if (how === 'fail') gate.ended(caller, 'failed', failure, 5, 0);
    else if (how === 'refuse') gate.ended(caller, 'alive', refusal, 5, 0);
    else gate.ended(caller, 'nothing', failure, 5, 0);
    return answer;
  };
  return { clock, gate, logged, newCaller, call, failure };
}

test('a provider that fails is left alone after twenty calls, for fifteen seconds', async () => {
  const { clock, gate, call } = openGate();
  let out = 0;
  for (let i = 0; i < 1_000; i++) if (call('fail') === 'go') out += 1;
  assert.equal(out, 20);
  const refused = call('ok');
  assert.ok(typeof refused === 'object' && refused.code === 'provider_busy' && refused.retryAfterSeconds === 15);
  assert.equal(gate.state().state, 'open');
  await clock.pass(14_999);
  assert.notEqual(call('ok'), 'go');
});

test('a model that fails is left alone, and the others of its provider go on', async () => {
  const { clock, gate, call } = openGate();
  for (let i = 0; i < 100; i++) {
    call('fail', 'broken');
    assert.equal(call('ok', 'well'), 'go');
  }
  const refused = call('ok', 'broken');
  assert.ok(typeof refused === 'object' && refused.detail.includes('a/broken'));
  assert.deepEqual(
    gate.state().models.map(({ model, state }) => [model, state]),
    [['broken', 'open']],
  );
  await clock.pass(15_000);
  assert.equal(call('ok', 'broken'), 'go');
  assert.equal(gate.state().state, 'closed');
});

test('however many models are named, not all are remembered, but those that are shut', () => {
  const { gate, call } = openGate();
  for (let i = 0; i < 20; i++) call('fail', 'broken');
  for (let i = 0; i < 1_000; i++) assert.equal(call('fail', `m${i}`), 'go');
  assert.deepEqual(
    gate.state().models.map(({ model }) => model),
    ['broken'],
  );
});

test('half of the calls must fail, within ten seconds', async () => {
  const { clock, call, gate } = openGate();
  for (let i = 0; i < 400; i++) call(i % 5 < 3 ? 'ok' : 'fail');
  assert.equal(gate.state().state, 'closed');
  await clock.pass(11_000);
  for (let i = 0; i < 19; i++) call('fail');
  await clock.pass(11_000);
  for (let i = 0; i < 19; i++) call('fail');
  assert.equal(gate.state().state, 'closed');
});

test('one probe at a time goes to a provider that was shut; its end opens or shuts again', async () => {
  const { clock, gate, newCaller, call, failure } = openGate();
  const early = newCaller();
  gate.ask(early, 0, 0);
  for (let i = 0; i < 20; i++) call('fail');
  await clock.pass(15_000);
  assert.equal(gate.state().state, 'half-open');
  const probe = newCaller();
  assert.equal(gate.ask(probe, 0, 0), 'go');
  for (let i = 0; i < 50; i++) assert.notEqual(call('ok'), 'go', 'only one probe');
  // A call of before the storm says nothing now.
  gate.ended(early, 'alive', null, 5, 0);
  assert.equal(gate.state().state, 'half-open');
  gate.ended(probe, 'failed', failure, 5, 0);
  assert.equal(gate.state().state, 'open');
  await clock.pass(15_000);
  assert.equal(call('leave'), 'go', 'who leaves makes room for the next probe');
  assert.equal(call('ok'), 'go');
  assert.equal(gate.state().state, 'closed');
  assert.equal(call('ok'), 'go');
});

test('calls whose own callers leave say nothing of the provider', () => {
  const { gate, call } = openGate();
  for (let i = 0; i < 200; i++) call('leave');
  assert.equal(gate.state().state, 'closed');
});

test('a key that is refused three times is tried once in thirty seconds, and told of once', async () => {
  const { clock, gate, call, logged } = openGate();
  let out = 0;
  for (let i = 0; i < 10_000; i++) if (call('refuse') === 'go') out += 1;
  assert.equal(out, 3);
  assert.deepEqual(logged, ['A provider refuses its key']);
  assert.equal(gate.state().keyRefused, true);
  const refused = call('ok');
  assert.ok(typeof refused === 'object' && refused.code === 'provider_auth');
  await clock.pass(30_000);
  assert.equal(call('refuse'), 'go');
  assert.notEqual(call('ok'), 'go');
  await clock.pass(30_000);
  assert.equal(call('ok'), 'go');
  assert.equal(gate.state().keyRefused, false);
  assert.equal(call('ok'), 'go');
  assert.equal(logged.length, 1);
});

test('calls beyond the limit wait in line in their order, as many as the line holds', async () => {
  const { clock, gate, newCaller } = openGate();
  gate.limits = { ...noLimits, concurrency: 2 };
  const callers = Array.from({ length: 40 }, newCaller);
  const answers = callers.map((caller) => gate.ask(caller, 0, 5_000));
  assert.deepEqual(
    answers.map((answer) => (typeof answer === 'string' ? answer : answer.code)),
    [...Array(2).fill('go'), ...Array(16).fill('wait'), ...Array(22).fill('provider_busy')],
  );
  gate.ended(callers[1] as Caller, 'alive', null, 5, 0);
  assert.deepEqual(callers[2]?.seen, ['entered']);
  assert.deepEqual(callers[3]?.seen, []);
  gate.leave(callers[3] as Caller);
  gate.ended(callers[0] as Caller, 'alive', null, 5, 0);
  assert.deepEqual([callers[3]?.seen, callers[4]?.seen], [[], ['entered']]);
  await clock.pass(5_000);
  const last = callers[17]?.seen[0];
  assert.ok(typeof last === 'object' && last.code === 'provider_busy' && last.retryAfterSeconds === 1);
});

test('a limit for a minute is not passed in any minute', async () => {
  const { clock, gate, newCaller } = openGate();
  gate.limits = { ...noLimits, requests_per_minute: 30 };
  const times: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const caller = newCaller();
    if (gate.ask(caller, 0, 0) === 'go') {
      times.push(clock.monotonic());
      gate.ended(caller, 'alive', null, 5, 0);
    }
    await clock.pass(100);
  }
  assert.ok(times.length >= 90, `${times.length}`);
  for (const [i, at] of times.entries()) assert.ok((times[i + 30] ?? Number.POSITIVE_INFINITY) - at >= 60_000);
});

test('tokens are taken ahead as estimated and put right at the end', async () => {
  const { clock, gate, newCaller } = openGate();
  gate.limits = { ...noLimits, tokens_per_minute: 1_000 };
  const first = newCaller();
  assert.equal(gate.ask(first, 900, 0), 'go');
  assert.notEqual(gate.ask(newCaller(), 200, 0), 'go');
  gate.ended(first, 'alive', null, 5, 850);
  assert.equal(gate.ask(newCaller(), 900, 0), 'go');
  const waiting = newCaller();
  assert.equal(gate.ask(waiting, 500, 62_000), 'wait');
  await clock.pass(61_000);
  assert.deepEqual(waiting.seen, ['entered']);
  await clock.pass(62_000);
  assert.equal(gate.ask(newCaller(), 50_000, 0), 'go', 'one that is larger than the limit goes alone');
});

test('who waits in line when the provider is shut hears of it', () => {
  const { gate, newCaller, failure } = openGate();
  gate.limits = { ...noLimits, concurrency: 20 };
  const running = Array.from({ length: 20 }, newCaller);
  for (const caller of running) gate.ask(caller, 0, 0);
  const waiting = newCaller();
  assert.equal(gate.ask(waiting, 0, 5_000), 'wait');
  gate.limits = { ...noLimits, concurrency: 1 };
  for (const caller of running) gate.ended(caller, 'failed', failure, 5, 0);
  const [told] = waiting.seen;
  assert.ok(typeof told === 'object' && told.code === 'provider_busy' && /left alone/.test(told.detail));
});
