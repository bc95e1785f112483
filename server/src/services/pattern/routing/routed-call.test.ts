import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '#platform/log.ts';
import { createFakeClock } from '#platform/testing/fake-clock.ts';
import { type ModelPort, type ModelRequest, type ModelResult, unknownUsage } from '../model/model-call.ts';
import type { Candidate } from './candidate.ts';
import { Gate, noLimits } from './gate.ts';
import { unknownModel } from './model-facts.ts';
import { RoutedCall, type RoutedResult } from './routed-call.ts';

const usage = { ...unknownUsage, input_tokens: 10, output_tokens: 5 };
const fine: ModelResult = { ok: true, stopReason: 'stop', usage, tool_calls: [], status: 200, firstOutputMs: 5 };
type Failure = Extract<ModelResult, { ok: false }>;
const failed = (more: Partial<Failure>): Failure => ({
  ok: false,
  usage: unknownUsage,
  code: 'provider_error',
  detail: 'no',
  status: 500,
  firstOutputMs: null,
  ...more,
});
const busy = (retryAfterSeconds?: number) =>
  failed({ code: 'provider_busy', status: 429, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });

/** A world with scripted providers: `say` answers the nth call to a provider after `ms`. */
function openWorld() {
  const clock = createFakeClock();
  const calls: { provider: string; at: number; timeoutMs: number }[] = [];
  const logged: string[] = [];
  const log = { error: (message: string) => void logged.push(message) } as unknown as Log;
  const provider = (name: string, say: (n: number) => ModelResult | 'silence', ms = 10): Candidate => {
    const gate = new Gate({ name, workspace: 'w', clock, log });
    let count = 0;
    const port: ModelPort = {
      call(request) {
        calls.push({ provider: name, at: clock.monotonic(), timeoutMs: request.timeoutMs });
        const answer = say(++count);
        let tell: (result: ModelResult) => void = () => undefined;
        const done = new Promise<ModelResult>((resolve) => {
          tell = resolve;
        });
        if (answer !== 'silence') clock.after(ms, () => tell(answer));
        return { done, abort: (code, detail) => tell(failed({ code, detail, status: null })), resume: () => undefined };
      },
    };
    return { name: `${name}/m`, model: 'm', facts: unknownModel, gate, port, open: async () => port };
  };
  const request: ModelRequest = {
    model: 'm',
    messages: [{ role: 'user', content: 'x'.repeat(400) }],
    parameters: {},
    stream: false,
    timeoutMs: 60_000,
    onText: () => true,
  };
  const run = (
    candidates: readonly [Candidate, ...Candidate[]],
    more: Partial<ModelRequest> = {},
    repeatUncertain = false,
  ) => {
    const call = new RoutedCall(
      { candidates, repeatUncertain, patienceMs: 30_000, clock, log },
      { ...request, ...more },
    );
    const told: { result?: RoutedResult } = {};
    void call.done.then((result) => {
      told.result = result;
    });
    return { call, told };
  };
  const finish = async (
    candidates: readonly [Candidate, ...Candidate[]],
    more?: Partial<ModelRequest>,
    repeat?: boolean,
  ) => {
    const { told } = run(candidates, more, repeat);
    await clock.pass(120_000);
    return told.result as RoutedResult;
  };
  return { clock, calls, logged, provider, run, finish };
}

test('a call that succeeds at once is one attempt, and sets no timer of its own', async () => {
  const { clock, provider, run } = openWorld();
  const { told } = run([provider('a', () => fine)]);
  assert.equal(clock.timers, 1, "the scripted provider's own");
  await clock.pass(10);
  const { result } = told;
  assert.equal(result?.ok, true);
  assert.deepEqual(result?.attempts, [
    {
      number: 1,
      model: 'a/m',
      outcome: 'succeeded',
      code: null,
      provider_status: 200,
      first_output_ms: 5,
      total_ms: 10,
    },
  ]);
  assert.equal(result?.served.name, 'a/m');
});

for (const [what, failure] of [
  ['has no connection', failed({ status: null })],
  ['asks to wait', busy()],
  ['is overloaded', failed({ code: 'provider_busy', status: 529 })],
  ['fails inside', failed({ status: 500 })],
  ['has a broken gateway', failed({ status: 502 })],
] as const) {
  test(`what ${what} before any output is called once more`, async () => {
    const { provider, finish } = openWorld();
    const result = await finish([provider('a', (n) => (n === 1 ? failure : fine))]);
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.attempts.map(({ outcome, code }) => [outcome, code]),
      [
        ['failed', failure.code],
        ['succeeded', null],
      ],
    );
  });
}

for (const [what, failure] of [
  ['was sent and got no verdict', failed({ status: null, uncertain: true })],
  ['timed out after it was sent', failed({ code: 'timeout', status: null, uncertain: true })],
  ['a gateway gave up on', failed({ status: 504 })],
  ['broke off', failed({ code: 'truncated', status: 200 })],
  ['had shown output', failed({ status: 200, firstOutputMs: 3 })],
  ['was refused as wrong', failed({ status: 400 })],
] as const) {
  test(`a call that ${what} is not repeated`, async () => {
    const { provider, finish, calls } = openWorld();
    const result = await finish([provider('a', () => failure), provider('b', () => fine)]);
    assert.equal(result.ok, false);
    assert.equal(calls.length, 1);
  });
}

test('a version that allows it has uncertain calls repeated, but never after output', async () => {
  const { provider, finish, calls } = openWorld();
  const lost = failed({ status: null, uncertain: true });
  const result = await finish([provider('a', (n) => (n === 1 ? lost : fine))], {}, true);
  assert.deepEqual(
    result.attempts.map(({ outcome }) => outcome),
    ['uncertain', 'succeeded'],
  );
  await finish([provider('b', () => failed({ status: 200, firstOutputMs: 1, uncertain: true }))], {}, true);
  assert.equal(calls.filter((call) => call.provider === 'b').length, 1);
});

for (const [asked, least, most] of [
  [2, 2_000, 2_500],
  [0.1, 500, 1_000],
  [30, 30_000, 30_500],
] as const) {
  test(`a repeat waits ${asked} s when the provider asks for it, and never less than half a second`, async () => {
    const { provider, finish, calls } = openWorld();
    await finish([provider('a', (n) => (n === 1 ? busy(asked) : fine))]);
    const waited = (calls[1]?.at ?? 0) - 10;
    assert.ok(waited >= least && waited <= most, `${waited}`);
  });
}

test('a wait beyond thirty seconds or beyond the deadline is left to the caller', async () => {
  const { provider, finish, calls } = openWorld();
  const long = await finish([provider('a', () => busy(60))]);
  assert.ok(!long.ok && long.retryAfterSeconds === 60);
  const late = await finish([provider('b', () => busy(5))], { timeoutMs: 4_000 });
  assert.equal(late.ok, false);
  assert.equal(calls.length, 2);
});

test('a repeat gets the time that is left, no more', async () => {
  const { provider, finish, calls } = openWorld();
  await finish([provider('a', (n) => (n === 1 ? busy(2) : fine))], { timeoutMs: 10_000 });
  assert.ok((calls[1]?.timeoutMs ?? 0) < 8_000);
});

test('one run makes at most three calls to a model', async () => {
  const { provider, finish, calls } = openWorld();
  const a = provider('a', (n) => (n <= 100 ? fine : failed({})));
  for (let i = 0; i < 100; i++) await finish([a]);
  const result = await finish([a]);
  assert.equal(result.attempts.length, 3);
  assert.equal(calls.length, 103);
});

test('a lone user has one repeat in ten seconds; a crowd one for ten requests', async () => {
  const { clock, provider, run, calls } = openWorld();
  const a = provider('a', (n) => (n % 20 < 8 ? failed({}) : fine));
  const lone = run([a]);
  await clock.pass(5_000);
  assert.equal(lone.told.result?.attempts.length, 2);
  const requests = 1_000;
  for (let i = 0; i < requests; i++) {
    run([a]);
    await clock.pass(50);
  }
  await clock.pass(60_000);
  assert.ok(calls.length - requests - 1 <= requests * 0.1 + 2, `${calls.length} calls`);
});

test('the next model is tried only where there is one, and after the same one was tried again', async () => {
  const { provider, finish, calls } = openWorld();
  const result = await finish([provider('a', () => failed({})), provider('b', () => fine)]);
  assert.deepEqual(
    calls.map((call) => call.provider),
    ['a', 'a', 'b'],
  );
  assert.equal(result.served.name, 'b/m');
  assert.deepEqual(
    result.attempts.map(({ number, model }) => [number, model]),
    [
      [1, 'a/m'],
      [2, 'a/m'],
      [3, 'b/m'],
    ],
  );
});

test('a provider that asks to wait long is left for the next one at once', async () => {
  const { provider, finish, calls } = openWorld();
  await finish([provider('a', () => busy(20)), provider('b', () => fine)]);
  assert.deepEqual(
    calls.map((call) => [call.provider, call.at]),
    [
      ['a', 0],
      ['b', 10],
    ],
  );
});

test('a model that cannot be opened is passed over without an attempt', async () => {
  const { provider, finish, logged } = openWorld();
  const broken: Candidate = {
    ...provider('a', () => fine),
    port: null,
    open: () => Promise.reject(new Error('sealed for another place')),
  };
  const result = await finish([broken, provider('b', () => fine)]);
  assert.deepEqual(
    result.attempts.map(({ model }) => model),
    ['b/m'],
  );
  assert.equal(logged.length, 1);
});

test('an abort ends the call, the wait for a repeat and the wait in line', async () => {
  const { clock, provider, run, calls } = openWorld();
  const silent = provider('a', () => 'silence');
  silent.gate.limits = { ...noLimits, concurrency: 1 };
  const first = run([silent]);
  const second = run([silent]);
  const third = run([provider('b', () => busy(20))]);
  await clock.pass(1_000);
  for (const { call } of [second, third, first]) call.abort('run_cancelled', 'The client left.');
  await clock.pass(0);
  for (const { told } of [first, second, third])
    assert.ok(told.result && !told.result.ok && told.result.code === 'run_cancelled');
  assert.equal(first.told.result?.attempts[0]?.outcome, 'cancelled');
  assert.deepEqual(second.told.result?.attempts, []);
  assert.equal(silent.gate.isIdle, true);
  await clock.pass(60_000);
  assert.equal(calls.length, 2);
  assert.equal(clock.timers, 0);
});
