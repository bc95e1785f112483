import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@damask/contracts/errors.ts';
import { AppError } from '#platform/app-error.ts';
import type { ChainPlan, Reference } from '../chain/chain-plan.ts';
import { unknownUsage } from '../model/model-call.ts';
import { approvalStep, beside, callStep, chainOf, dataOf, outputOf, plannedCall, report } from './chains-for-tests.ts';
import { drive } from './drive-run.ts';
import { createMemoryStore } from './memory-store-for-tests.ts';
import type { OnUncertain, RunEnd, StepCall, StepResult } from './ports.ts';
import { createVirtualClock, turn } from './virtual-clock-for-tests.ts';
import type { Drive, DriveEnd } from './work.ts';

type Answer = { output: string; data?: unknown } | { code: ErrorCode; retryAfter?: number; uncertain?: boolean };

interface Options {
  /** What a call is answered; its text and number otherwise. */
  readonly answer?: (call: StepCall, calls: number) => Answer | undefined;
  readonly refuse?: (call: StepCall, asked: number) => AppError | undefined;
  readonly onUncertain?: OnUncertain;
  /** Milliseconds that a call takes. */
  readonly takes?: number;
  readonly deadline?: number;
}

const plain = { kind: 'plain', timeoutMs: null } as const;
const chain = (plan: ChainPlan) => ({ kind: 'chain', plan }) as const;
const input: Reference = { from: 'input' };

/** A run in memory, taken up whenever it is ready. */
function begin(work: typeof plain | ReturnType<typeof chain>, options: Options = {}) {
  const { answer, refuse, onUncertain = 'fail', takes = 10 } = options;
  const clock = createVirtualClock();
  const memory = createMemoryStore({ clock });
  const calls: StepCall[] = [];
  const told: string[] = [];
  let asked = 0;
  let out = 0;
  let mostOut = 0;
  let checkpoints = 0;
  const begun = clock.now();
  memory.add({
    workspace: 'workspace',
    id: 'run',
    deadline: options.deadline === undefined ? null : begun + options.deadline,
  });
  const provider = {
    async prepare(_: unknown, call: StepCall) {
      const error = refuse?.(call, asked++);
      if (error) throw error;
      return { model: 'fake/model', reserved_micros: 20, on_uncertain: onUncertain };
    },
    call(_: unknown, call: StepCall) {
      calls.push(call);
      mostOut = Math.max(mostOut, ++out);
      let abort!: (code: ErrorCode) => void;
      const done = new Promise<StepResult>((resolve) => {
        abort = (code) => resolve(failed({ code }, 'part'));
        clock.after(takes, () => {
          const given = answer?.(call, calls.length) ?? { output: `${call.path}(${call.input})` };
          resolve('output' in given ? succeeded(given) : failed(given, ''));
        });
      });
      void done.then(() => {
        out -= 1;
      });
      return { done, abort };
    },
  };
  const store = {
    ...memory.store,
    checkpoint: (...given: Parameters<typeof memory.store.checkpoint>) => {
      checkpoints += 1;
      return memory.store.checkpoint(...given);
    },
  };
  const ports = { store, queue: memory.queue, provider, clock, random: () => 0.5 };
  const claim = (): Drive => {
    const found = memory.claim('worker');
    assert.ok(found, 'The run is not ready');
    const changed = (path: string, state: string) => void told.push(`${path} ${state}`);
    return drive(ports, found, { ...work, input: 'input', variables: {}, changed });
  };
  /** Lets time pass until the worker holds the run no more. */
  const settle = async (driven: Drive, meanwhile?: () => void): Promise<DriveEnd> => {
    let end: DriveEnd | undefined;
    void driven.done.then((it) => {
      end = it;
    });
    await turn();
    meanwhile?.();
    for (await turn(); !end; await turn()) assert.ok(clock.step(), 'Nothing will ever happen');
    return end;
  };
  return {
    clock,
    memory,
    calls,
    told,
    claim,
    settle,
    get mostOut() {
      return mostOut;
    },
    get checkpoints() {
      return checkpoints;
    },
    elapsed: () => clock.now() - begun,
    steps: () => Object.fromEntries(memory.stepsOf('run').map(({ path, state }) => [path, state])),
    /** To its end, however often it is given back. */
    async end(): Promise<RunEnd> {
      for (let rounds = 0; rounds < 50; rounds++) {
        const [end] = memory.ends.get('run') ?? [];
        if (end) return end;
        clock.moveTo(memory.nextReady ?? clock.now());
        await settle(claim());
      }
      throw assert.fail('It does not end');
    },
  };
}

function succeeded({ output, data }: { output: string; data?: unknown }): StepResult {
  const rest = { stop_reason: 'stop', sanitised: false, spent: spent('succeeded') };
  return { ok: true, output, ...(data === undefined ? {} : { data }), ...rest };
}

function failed({ code, retryAfter, uncertain }: Exclude<Answer, { output: string }>, output: string): StepResult {
  const later = retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter };
  const outcome = uncertain ? 'uncertain' : code === 'run_cancelled' ? 'cancelled' : 'failed';
  return { ok: false, code, detail: 'It failed.', output, sanitised: false, ...later, spent: spent(outcome) };
}

function spent(outcome: 'succeeded' | 'failed' | 'uncertain' | 'cancelled') {
  const attempt = {
    number: 1,
    model: 'fake/model',
    outcome,
    code: null,
    provider_status: null,
    first_output_ms: 1,
    total_ms: 2,
  };
  const cost = outcome === 'uncertain' ? null : 5;
  const usage = { ...unknownUsage, output_tokens: 3 };
  return { model: 'fake/model', attempts: [attempt], usage, cost_micros: cost, first_output_ms: 1 };
}

test('a run of one call is two commits: its intent and its end', async () => {
  const run = begin(plain);
  const end = await run.end();
  assert.deepEqual([end.status, end.output, end.cost_micros, end.total_ms], ['succeeded', '(input)', 5, 10]);
  assert.equal(run.checkpoints, 1);
  assert.deepEqual(run.memory.stepsOf('run'), []);
});

test('a step in a row is one commit: its checkpoint and the intent of the next', async () => {
  const steps = [callStep('a', [input]), callStep('b', [outputOf('a')]), callStep('c', [outputOf('b')])];
  const run = begin(chain(chainOf('row', steps, outputOf('c'))));
  const end = await run.end();
  assert.equal(end.output, 'c(b(a(input)))');
  assert.equal(end.cost_micros, 15);
  assert.deepEqual(end.usage.output_tokens, 9);
  assert.equal(run.checkpoints, 3);
  assert.deepEqual(run.told, ['a running', 'a succeeded', 'b running', 'b succeeded', 'c running', 'c succeeded']);
});

test('a chain of lists, parts, conditions and a chain within ends as its references say', async () => {
  const run = begin(chain(report), {
    answer: ({ path }) =>
      path === 'list'
        ? { output: 'list', data: ['one', 'two', 'three'] }
        : path === 'broken'
          ? { code: 'provider_error' }
          : undefined,
  });
  const end = await run.end();
  assert.equal(end.error, null);
  assert.ok(end.output.startsWith('end(inner/b(inner/a(each[0](one)\n\neach[1](two)\n\neach[2](three)))'), end.output);
  assert.deepEqual(
    run.calls.filter(({ path }) => path.startsWith('long/')).map(({ path, pattern }) => [path, pattern?.pattern]),
    [
      ['long/map[0]', 'long'],
      ['long/map[1]', 'long'],
      ['long/map[2]', 'long'],
      ['long/reduce1[0]', 'merge'],
    ],
  );
  assert.deepEqual(run.calls.find(({ path }) => path === 'inner/a')?.pattern?.pattern, 'a');
  assert.partialDeepStrictEqual(run.steps(), {
    'each[2]': 'succeeded',
    each: 'succeeded',
    broken: 'failed',
    left: 'skipped',
    inner: 'succeeded',
    'inner/b': 'succeeded',
    long: 'succeeded',
  });
  assert.equal(run.calls.filter(({ path }) => path === 'broken').length, 2);
});

test('a list goes through its entries so many at once, and refuses what is too long or no list', async () => {
  const over = (list: unknown, most = 100) => {
    const forEach = { list: dataOf('list'), max_items: most, parallel: 3, when: [] };
    const each = callStep('each', [{ from: 'item', path: [] }], { forEach });
    const run = begin(chain(chainOf('over', [callStep('list', [input]), each], outputOf('each'))), {
      answer: ({ path }) => (path === 'list' ? { output: 'list', data: list } : undefined),
    });
    return run.end().then((end) => ({ run, end }));
  };
  const entries = Array.from({ length: 20 }, (_, at) => `entry ${at}`);
  const { run, end } = await over(entries);
  assert.equal(run.mostOut, 3);
  assert.equal(end.output, entries.map((entry, at) => `each[${at}](${entry})`).join('\n\n'));
  assert.match(
    (await over(entries, 19)).end.error?.detail ?? '',
    /Step each: The list has 20 entries, and the step allows 19/,
  );
  assert.match((await over('text')).end.error?.detail ?? '', /is no list/);
  assert.equal((await over([])).end.status, 'succeeded');
});

test('a chain within that fails says where, and what ran beside it is aborted', async () => {
  const inner = chainOf('inner', [callStep('bad', [input]), callStep('slow', [input])], outputOf('slow'));
  const steps = [callStep('outer', [input], { call: plannedCall('inner', inner) })];
  const run = begin(chain(chainOf('all', steps, outputOf('outer'))), {
    answer: ({ path }) => (path === 'outer/bad' ? { code: 'content_refused' } : undefined),
  });
  const end = await run.end();
  assert.deepEqual([end.status, end.error?.code], ['failed', 'content_refused']);
  assert.equal(end.error?.detail, 'Step outer/bad: It failed.');
  const slow = run.memory.stepsOf('run').find(({ path }) => path === 'outer/slow');
  assert.equal(slow?.state, 'failed');
});

test('a failed step may count as a value, and a step that is left out finds nothing', async () => {
  const bad = callStep('bad', [input], { on_error: { output: 'instead', data: { a: 1 } } });
  const when = { ...callStep('no', [input]), when: [{ ref: dataOf('bad', 'a'), test: 'above', value: 1 } as const] };
  const steps = [bad, { ...when, needs: ['bad'] }, callStep('end', [outputOf('bad'), outputOf('no')])];
  const run = begin(chain(chainOf('all', steps, outputOf('end'))), {
    answer: ({ path }) => (path === 'bad' ? { code: 'truncated' } : undefined),
  });
  assert.equal((await run.end()).output, 'end(instead)');
});

test('a person who says no ends the run, one who says yes is quoted, and nobody is an answer too', async () => {
  const plan = chainOf('ask', [approvalStep('check', [input]), callStep('end', [outputOf('check')])], outputOf('end'));
  const decide = async (decision: 'approve' | 'reject' | null) => {
    const run = begin(chain(plan));
    assert.deepEqual(await run.settle(run.claim()), { kind: 'waiting' });
    assert.equal(run.memory.stepsOf('run')[0]?.output, 'input');
    if (decision) run.memory.decide('run', 'check', { decision, comment: 'So be it.', actor: 'person', at: 0 });
    return { end: await run.end(), took: run.elapsed() };
  };
  assert.equal((await decide('approve')).end.output, 'end(So be it.)');
  const rejected = (await decide('reject')).end.error;
  assert.equal(rejected?.code, 'not_approved');
  const nobody = await decide(null);
  assert.equal(nobody.end.error?.code, 'not_approved');
  assert.equal(nobody.took, 3 * 86_400_000);
});

test('a decision is acted upon at once while other steps run, where the worker is told', async () => {
  const run = begin(chain(beside), { takes: 5_000 });
  const driven = run.claim();
  const end = await run.settle(driven, () => {
    run.memory.decide('run', 'check', { decision: 'reject', comment: null, actor: 'person', at: 0 });
    driven.decided();
  });
  assert.equal(end.kind, 'ended');
  assert.ok(run.elapsed() < 5_000);
});

test('a provider that is busy is asked again later, for as long as it says', async () => {
  const run = begin(plain, {
    answer: (_, calls) => (calls === 1 ? { code: 'provider_busy', retryAfter: 90 } : undefined),
  });
  assert.deepEqual(await run.settle(run.claim()), { kind: 'released' });
  assert.equal(run.memory.nextReady, run.clock.now() + 90_000);
  const end = await run.end();
  assert.deepEqual([end.status, end.attempts.length], ['succeeded', 2]);
  const never = begin(plain, { refuse: () => new AppError('no_model', 'None.') });
  assert.equal((await never.end()).error?.code, 'no_model');
  assert.deepEqual(never.calls, []);
});

test('a call that got no verdict is not repeated unless its pattern says so', async () => {
  const lost = {
    answer: (_: StepCall, calls: number) => (calls === 1 ? ({ code: 'timeout', uncertain: true } as const) : undefined),
  };
  const step = callStep('a', [input], { retry: { times: 3, wait_ms: 0 } });
  const plan = chain(chainOf('one', [step], outputOf('a')));
  const fails = begin(plan, { ...lost, onUncertain: 'fail' });
  const failed = await fails.end();
  assert.deepEqual([failed.error?.code, failed.cost_micros, fails.calls.length], ['timeout', 20, 1]);
  const retries = begin(plan, { ...lost, onUncertain: 'retry' });
  assert.deepEqual([(await retries.end()).cost_micros, retries.calls.length], [25, 2]);
  const asks = begin(plan, { ...lost, onUncertain: 'review' });
  assert.deepEqual(await asks.settle(asks.claim()), { kind: 'waiting' });
  asks.memory.decide('run', 'a', { decision: 'retry', comment: null, actor: 'person', at: 0 });
  assert.equal((await asks.end()).status, 'succeeded');
});

test('a run that is cancelled aborts what is out, keeps what came, and calls nothing more', async () => {
  const run = begin(plain, { takes: 60_000 });
  const driven = run.claim();
  await run.settle(driven, () => driven.stop('run_cancelled', 'Enough.'));
  const end = await run.end();
  assert.deepEqual([end.status, end.output, end.error?.detail], ['cancelled', 'part', 'Enough.']);
  assert.equal(end.attempts[0]?.outcome, 'cancelled');
  const wide = begin(chain(report), { takes: 60_000 });
  const many = wide.claim();
  await wide.settle(many, () => many.stop('run_cancelled', 'Enough.'));
  assert.equal((await wide.end()).status, 'cancelled');
  assert.ok(wide.memory.stepsOf('run').every(({ state }) => state !== 'waiting'));
});

test('a chain that is cancelled is not gone on with, whatever its steps do about failures', async () => {
  const slow = callStep('slow', [input], { on_error: { output: 'instead' }, retry: { times: 3, wait_ms: 0 } });
  const run = begin(chain(chainOf('goes on', [slow, callStep('end', [outputOf('slow')])], outputOf('end'))), {
    takes: 60_000,
  });
  const driven = run.claim();
  await run.settle(driven, () => driven.stop('run_cancelled', 'Enough.'));
  assert.equal((await run.end()).status, 'cancelled');
  assert.equal(run.calls.length, 1);
});

test('a deadline ends a run in its call, while it waits, and before it begins', async () => {
  const calling = begin(plain, { takes: 60_000, deadline: 1_000 });
  assert.equal((await calling.end()).error?.code, 'timeout');
  assert.equal(calling.elapsed(), 1_000);
  const plan = chainOf('ask', [approvalStep('check', [input])], outputOf('check'));
  const waiting = begin(chain(plan), { deadline: 5_000 });
  await waiting.settle(waiting.claim());
  assert.equal((await waiting.end()).error?.code, 'timeout');
  assert.equal(waiting.elapsed(), 5_000);
  const late = begin(plain, { deadline: -1 });
  const end = await late.end();
  assert.deepEqual([end.error?.code, late.calls.length, end.cost_micros], ['timeout', 0, 0]);
});

test('a process that stops gives its runs back at once, and what was out is uncertain', async () => {
  const run = begin(plain, { takes: 60_000, onUncertain: 'retry' });
  const driven = run.claim();
  assert.deepEqual(await run.settle(driven, () => driven.handBack()), { kind: 'released' });
  assert.equal(run.memory.task('run')?.calling.length, 1);
  assert.equal(run.elapsed(), 0);
  const end = await run.end();
  assert.deepEqual(
    end.attempts.map(({ number, outcome }) => [number, outcome]),
    [
      [1, 'uncertain'],
      [2, 'succeeded'],
    ],
  );
  assert.equal(end.cost_micros, 25);
});

test('a worker that lost its run writes nothing', async () => {
  const run = begin(plain, { takes: 60_000 });
  const driven = run.claim();
  assert.deepEqual(await run.settle(driven, () => driven.drop()), { kind: 'lost' });
  assert.equal(run.memory.ends.size, 0);
});

test('fields of an answer reach the next step and the end as texts that can be kept', async () => {
  const steps = [callStep('a', [input]), callStep('b', [dataOf('a', 'x')])];
  const run = begin(chain(chainOf('fields', steps, dataOf('a', 'x'))), {
    answer: ({ path }) => (path === 'a' ? { output: '{}', data: { x: 'a\0b\ud800' } } : undefined),
  });
  assert.equal((await run.end()).output, 'a\ufffdb\ufffd');
  assert.equal(run.calls[1]?.input, 'a\ufffdb\ufffd');
});

test('a run whose steps answer more than is kept in memory ends there', async () => {
  const forEach = { list: dataOf('list'), max_items: 1_000, parallel: 4, when: [] };
  const each = callStep('each', [{ from: 'item', path: [] }], { forEach, on_error: 'skip' });
  const run = begin(chain(chainOf('long', [callStep('list', [input]), each], outputOf('each'))), {
    answer: ({ path }) =>
      path === 'list'
        ? { output: '', data: Array.from({ length: 100 }, () => 'x') }
        : { output: 'y'.repeat(4_000_000) },
  });
  const end = await run.end();
  assert.deepEqual([end.status, end.error?.code], ['failed', 'policy_refused']);
  assert.ok(run.calls.length < 30);
});

test('a thousand entries whose records are at hand are gone through without a call', async () => {
  const forEach = { list: dataOf('list'), max_items: 1_000, parallel: 1_000, when: [] };
  const each = callStep('each', [{ from: 'item', path: [] }], { forEach });
  const plan = chainOf('over', [callStep('list', [input]), each, callStep('end', [outputOf('each')])], outputOf('end'));
  const list = Array.from({ length: 1_000 }, (_, at) => `${at}`);
  const run = begin(chain(plan), {
    answer: ({ path }) =>
      path === 'list'
        ? { output: '', data: list }
        : path === 'end'
          ? { code: 'provider_busy', retryAfter: 60 }
          : { output: 'x' },
  });
  assert.deepEqual(await run.settle(run.claim()), { kind: 'released' });
  assert.equal(run.mostOut, 32);
  const before = run.calls.length;
  run.clock.moveTo(run.memory.nextReady ?? 0);
  await run.settle(run.claim());
  assert.equal(run.calls.length, before + 1);
});
