import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Attempt } from '@damask/contracts/run.ts';
import { unknownUsage } from '../model/model-call.ts';
import type { CallIntent, Claim, RunEnd, RunStore, StepDecision, StepRecord, WorkQueue } from './ports.ts';

/** A store under test, with what is done to it from outside the engine. */
export interface StoreUnderTest {
  readonly store: RunStore;
  readonly queue: WorkQueue;
  /** Accepts a run; answers its id. */
  add(options?: { deadline?: number; readyAt?: number }): Promise<string>;
  /** Takes this run in hand, if it is ready. */
  claim(run: string): Promise<Claim | undefined>;
  /** The worker that has it is dead. */
  takeOver(run: string): Promise<void>;
  decide(run: string, path: string, decision: Omit<StepDecision, 'at'>): Promise<boolean>;
  /** How the run ended; undefined: it has not. */
  endOf(run: string): Promise<Pick<RunEnd, 'status'> | undefined>;
  /** The store's own time. */
  now(): Promise<number>;
  close(): Promise<void>;
}

const intent = (step: string, number = 1): CallIntent => ({
  step,
  number,
  model: 'fake/model',
  reserved_micros: 20,
  on_uncertain: 'review',
});
const attempt: Attempt = {
  number: 1,
  model: 'fake/model',
  outcome: 'failed',
  code: 'provider_error',
  provider_status: 500,
  first_output_ms: 1.5,
  total_ms: 2.5,
};

/** A step as the engine keeps it, with something in every field. */
function step(path: string, startedAt: number, change: Partial<StepRecord> = {}): StepRecord {
  return {
    path,
    state: 'succeeded',
    pattern: 'summarize',
    version: 3,
    model: 'fake/model',
    calls: 2,
    attempts: [attempt],
    usage: { ...unknownUsage, input_tokens: 7 },
    cost_micros: 25,
    error: null,
    output: 'Grüße 😀',
    data: { list: ['a', { b: null }] },
    sanitised: true,
    why: null,
    until: null,
    decision: null,
    started_at: startedAt,
    finished_at: startedAt + 5,
    ...change,
  };
}

const end: RunEnd = {
  status: 'succeeded',
  error: null,
  stop_reason: 'stop',
  output: 'all',
  model: 'fake/model',
  usage: unknownUsage,
  cost_micros: 25,
  attempts: [],
  first_output_ms: null,
  total_ms: 10,
  sanitised: false,
};
const nothing = { done: [], calling: [] };

/** What every store of the engine does. The same tests run against the one in memory and against PostgreSQL. */
export function testStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const it = (says: string, check: (under: StoreUnderTest) => Promise<void>) =>
    test(`${name}: ${says}`, () => check(under));
  let under: StoreUnderTest;
  before(async () => {
    under = await open();
  });
  after(() => under.close());

  const claimed = async (run: string): Promise<Claim> => {
    const claim = await under.claim(run);
    assert.ok(claim, 'The run is not ready');
    return claim;
  };

  it('a run is in one hand at a time, and new to its first holder', async ({ add, claim, now }) => {
    const deadline = (await now()) + 60_000;
    const run = await add({ deadline });
    const first = await claimed(run);
    assert.equal(first.id, run);
    assert.equal(first.deliveries, 0);
    assert.equal(first.deadline, deadline);
    assert.deepEqual(first.calling, []);
    assert.equal(first.stepped, false);
    assert.ok(Math.abs(first.now - (await now())) < 10_000);
    assert.equal(await claim(run), undefined);
  });

  it('a run is not ready before its time', async ({ add, claim, now }) => {
    assert.equal(await claim(await add({ readyAt: (await now()) + 60_000 })), undefined);
  });

  it('steps are read as they were kept, in the order in which they began', async ({ add, store, now }) => {
    const claim = await claimed(await add());
    const begun = await now();
    const later = step('b', begun + 9);
    const sooner = step('c[2]/map[0]', begun, {
      state: 'failed',
      error: { code: 'timeout', detail: 'Late.' },
      data: 0,
    });
    const bare = step('a', begun + 20, {
      ...{ state: 'skipped', pattern: null, version: null, model: null, cost_micros: null, output: null },
    });
    delete (bare as { data?: unknown }).data;
    assert.equal(await store.checkpoint(claim, { done: [later, sooner], calling: [intent('d')] }), 'held');
    assert.equal(await store.checkpoint(claim, { done: [bare], calling: [] }), 'held');
    assert.deepEqual(await store.steps(claim), [sooner, later, bare]);
  });

  it('a checkpoint that is written twice is written once', async ({ add, store, now }) => {
    const claim = await claimed(await add());
    const progress = { done: [step('a', await now())], calling: [intent('b')] };
    assert.equal(await store.checkpoint(claim, progress), 'held');
    assert.equal(await store.checkpoint(claim, progress), 'held');
    assert.equal((await store.steps(claim)).length, 1);
  });

  it('who takes over a run is told what was going out, and its former holder writes nothing more', async (store) => {
    const run = await store.add();
    const first = await claimed(run);
    await store.store.checkpoint(first, {
      done: [step('a', await store.now())],
      calling: [intent('b'), intent('c', 2)],
    });
    await store.takeOver(run);
    const late = { done: [step('z', await store.now())], calling: [intent('z')] };
    assert.equal(await store.store.checkpoint(first, late), 'lost');
    const second = await claimed(run);
    assert.ok(second.token > first.token);
    assert.equal(second.deliveries, 1);
    assert.equal(second.stepped, true);
    assert.deepEqual(second.calling, [intent('b'), intent('c', 2)]);
    assert.equal(await store.store.checkpoint(first, late), 'lost');
    assert.equal(await store.queue.release(first, { ...late, readyAt: null, because: null }), 'lost');
    assert.equal(await store.queue.wait(first, { ...late, why: 'review', until: null }), 'lost');
    assert.equal(await store.store.finish(first, end, late.done), 'lost');
    assert.deepEqual(
      (await store.store.steps(second)).map(({ path }) => path),
      ['a'],
    );
    assert.equal(await store.endOf(run), undefined);
  });

  it('who died with a run counts until a step of it has ended', async ({ add, store, takeOver, now }) => {
    const run = await add();
    for (const deaths of [0, 1, 2]) {
      const claim = await claimed(run);
      assert.equal(claim.deliveries, deaths);
      const waiting = step('a', await now(), { state: 'waiting', why: 'retry', until: await now(), finished_at: null });
      await store.checkpoint(claim, { done: [waiting], calling: [intent('a')] });
      await takeOver(run);
    }
    await store.checkpoint(await claimed(run), { done: [step('a', await now())], calling: [] });
    await takeOver(run);
    assert.equal((await claimed(run)).deliveries, 1);
  });

  it('the next checkpoint takes the place of what was going out', async ({ add, store, takeOver }) => {
    const run = await add();
    const first = await claimed(run);
    await store.checkpoint(first, { done: [], calling: [intent('a')] });
    await store.checkpoint(first, nothing);
    await takeOver(run);
    assert.deepEqual((await claimed(run)).calling, []);
  });

  it('an end is kept once, with the last steps, and leaves no work', async ({ add, store, endOf, claim, now }) => {
    const run = await add();
    const held = await claimed(run);
    assert.equal(await store.finish(held, end, [step('a', await now())]), 'held');
    assert.equal((await endOf(run))?.status, 'succeeded');
    assert.deepEqual(
      (await store.steps(held)).map(({ path }) => path),
      ['a'],
    );
    assert.equal(await store.finish(held, { ...end, status: 'failed' }, []), 'lost');
    assert.equal(await store.checkpoint(held, nothing), 'lost');
    assert.equal((await endOf(run))?.status, 'succeeded');
    assert.equal(await claim(run), undefined);
  });

  it('a run that is given back is ready at once, or from its time on, and does not count as a death', async (store) => {
    const run = await store.add();
    const first = await claimed(run);
    assert.equal(
      await store.queue.release(first, { done: [], calling: [intent('a')], readyAt: null, because: null }),
      'held',
    );
    assert.equal(await store.queue.release(first, { ...nothing, readyAt: null, because: null }), 'lost');
    const second = await claimed(run);
    assert.equal(second.deliveries, 0);
    assert.deepEqual(second.calling, [intent('a')]);
    const done = [step('a', await store.now())];
    await store.queue.release(second, { done, calling: [], readyAt: (await store.now()) + 60_000, because: 'Later.' });
    assert.equal(await store.claim(run), undefined);
  });

  it('a run that waits for a person comes back with what was decided, and with nothing else', async (store) => {
    const run = await store.add();
    const first = await claimed(run);
    const asked = step('check', await store.now(), {
      ...{ state: 'waiting', why: 'approval', until: (await store.now()) + 60_000, finished_at: null },
    });
    await store.queue.wait(first, { done: [asked], calling: [], why: 'approval', until: asked.until });
    assert.equal(await store.claim(run), undefined);
    const decision = {
      decision: 'approve',
      comment: 'Schön 😀',
      actor: '018f0000-0000-7000-8000-000000000001',
    } as const;
    assert.equal(await store.decide(run, 'other', decision), false);
    assert.equal(await store.decide(run, 'check', decision), true);
    assert.equal(await store.decide(run, 'check', { ...decision, decision: 'reject' }), false);
    const second = await claimed(run);
    const [found] = await store.store.steps(second);
    assert.deepEqual({ ...found, decision: null }, asked);
    const { at, ...said } = found?.decision ?? { at: 0 };
    assert.deepEqual(said, decision);
    assert.ok(Math.abs(at - (await store.now())) < 10_000);
    // Acted upon, it is no more.
    await store.store.checkpoint(second, { done: [step('check', asked.started_at)], calling: [] });
    assert.equal((await store.store.steps(second))[0]?.decision, null);
  });

  it('a run that waits comes back by itself when its time is over', async ({ add, queue, claim, now }) => {
    const run = await add();
    await queue.wait(await claimed(run), { ...nothing, why: 'approval', until: (await now()) - 1 });
    assert.ok(await claim(run));
  });

  it('what is decided while the run is in hand brings it back as soon as it waits', async (store) => {
    const run = await store.add();
    const first = await claimed(run);
    const asked = step('check', await store.now(), {
      ...{ state: 'waiting', why: 'approval', until: null, finished_at: null },
    });
    const progress = { done: [asked], calling: [] };
    await store.store.checkpoint(first, progress);
    const decision = { decision: 'reject', comment: null, actor: '018f0000-0000-7000-8000-000000000001' } as const;
    assert.equal(await store.decide(run, 'check', decision), true);
    // Repeated after a lost reply.
    await store.store.checkpoint(first, progress);
    await store.queue.wait(first, { ...nothing, why: 'approval', until: null });
    const second = await claimed(run);
    assert.equal((await store.store.steps(second))[0]?.decision?.decision, 'reject');
  });
}
