import type { ChainPlan } from '../chain/chain-plan.ts';
import { unknownUsage } from '../model/model-call.ts';
import { drive } from './drive-run.ts';
import { createMemoryStore, type MemoryStore, type StoreFaults } from './memory-store-for-tests.ts';
import type { Claim, EnginePorts, OnUncertain, StepCall, StepResult } from './ports.ts';
import { createVirtualClock, turn, type VirtualClock } from './virtual-clock-for-tests.ts';
import type { Drive, DriveEnd, Work } from './work.ts';

/** A received call, as the provider's own ledger holds it: written before it is answered. */
export interface LedgerEntry {
  readonly path: string;
  readonly number: number;
  readonly call: StepCall;
  /** Whether a record of the step's end was kept before it came. */
  readonly afterEnd: boolean;
  output: string;
}

/** What is done wrong on purpose. */
export interface WorldFaults extends StoreFaults {
  /** Intents count as kept before they are. */
  readonly earlyReply?: boolean;
  /** A new holder is not told what was going out. */
  readonly hidesCalls?: boolean;
  /** The pattern of a step is looked up again by each holder. */
  readonly movesVersions?: boolean;
  /** Calls that may have gone out cost nothing. */
  readonly freeCalls?: boolean;
  /** What steps answered is cut off when it is read again. */
  readonly cutsOutputs?: boolean;
  /** Who takes a run over has the token of who lost it. */
  readonly sameToken?: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly work: { readonly kind: 'plain' } | { readonly kind: 'chain'; readonly plan: ChainPlan };
  readonly onUncertain: OnUncertain;
  /** Calls of these paths fail as often. */
  readonly fails?: Readonly<Record<string, number>>;
}

/** At an await on a port, counted over all workers: the effect is not done yet, or was done and its reply is not here. */
export interface Crash {
  readonly at: number;
  readonly side: 'before' | 'after';
  /** `pause`: the worker counts as dead, and goes on when the run has ended. */
  readonly how: 'kill' | 'pause';
}

export interface World {
  readonly scenario: Scenario;
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly ledger: readonly LedgerEntry[];
  /** Steps in the order in which their ends were told. */
  readonly told: readonly { readonly path: string; readonly state: string; readonly kept: boolean }[];
  readonly points: number;
  readonly reserved: number;
  readonly stuck: string | undefined;
  /** Milliseconds until it ended. */
  readonly took: number;
  readonly driveEnds: readonly DriveEnd[];
}

const lease = 15_000;
export const price = 5;
export const priceOfFailure = 2;
export const reservedPrice = 20;

/** Runs the scenario to its end, with these crashes. */
export async function runWorld(
  scenario: Scenario,
  crashes: readonly Crash[],
  faults: WorldFaults = {},
): Promise<World> {
  const clock = createVirtualClock();
  const memory = createMemoryStore({ clock, faults });
  const ledger: LedgerEntry[] = [];
  const told: { path: string; state: string; kept: boolean }[] = [];
  const driveEnds: DriveEnd[] = [];
  const paused: (() => void)[] = [];
  let points = 0;
  let reserved = 0;
  let workers = 0;
  let stuck: string | undefined;
  const run = 'run';
  const begun = clock.now();
  memory.add({ workspace: 'workspace', id: run });

  function startWorker(claim: Claim, name: string) {
    let alive = true;
    let dead = false;
    const never = new Promise<never>(() => undefined);
    const reach = async (side: Crash['side'], at: number) => {
      const crash = crashes.find((one) => one.at === at && one.side === side);
      if (crash?.how === 'kill') alive = false;
      if (crash) dead = true;
      if (crash?.how === 'pause') await new Promise<void>((resolve) => void paused.push(resolve));
      if (!alive) await never;
    };
    /** Every await on a port goes through here. */
    const point = async <Value>(effect: () => Promise<Value>): Promise<Value> => {
      if (!alive) return never;
      const at = points++;
      await reach('before', at);
      const value = await effect();
      await reach('after', at);
      return value;
    };
    const ports: EnginePorts = {
      clock: {
        ...clock,
        after: (ms, call) => clock.after(ms, () => (alive ? call() : undefined)),
        sleep: (ms) => point(() => clock.sleep(ms)),
      },
      random: () => 0.5,
      store: {
        steps: (asked) =>
          point(async () => {
            const found = await memory.store.steps(asked);
            return faults.cutsOutputs
              ? found.map((one) => ({ ...one, output: one.output?.slice(0, 4) ?? null }))
              : found;
          }),
        checkpoint: (held, progress) => {
          const write = () => memory.store.checkpoint(held, progress);
          if (!faults.earlyReply) return point(write);
          void point(async () => {
            await clock.sleep(3);
            if (alive) await write();
          });
          return Promise.resolve('held');
        },
        finish: (held, end, done) => point(() => memory.store.finish(held, end, done)),
      },
      queue: {
        release: (held, options) => point(() => memory.queue.release(held, options)),
        wait: (held, options) => point(() => memory.queue.wait(held, options)),
      },
      provider: {
        prepare: () =>
          point(async () => {
            reserved += 1;
            const forgo = () => {
              reserved -= 1;
            };
            const most = faults.freeCalls ? 0 : reservedPrice;
            return { model: 'fake/model', reserved_micros: most, on_uncertain: scenario.onUncertain, forgo };
          }),
        call(_, call) {
          let abort!: (result: StepResult) => void;
          const aborted = new Promise<StepResult>((resolve) => {
            abort = resolve;
          });
          const done = point(() => Promise.race([answer(call), aborted]));
          void done.then(() => {
            reserved -= 1;
          });
          return { done, abort: (code, detail) => abort(failure(code, detail, '')) };
        },
      },
    };
    const changed: Work['changed'] = (path, state) => {
      const kept = memory.stepsOf(run).find((one) => one.path === path);
      if (state !== 'running') told.push({ path, state, kept: kept?.state === state });
    };
    const version = faults.movesVersions ? 3 + workers : 3;
    const shared = { input: 'input', variables: {}, changed };
    const { work } = scenario;
    const moved =
      work.kind === 'chain' ? { ...work, plan: moveVersions(work.plan, version) } : { ...work, timeoutMs: null };
    const driven = drive(ports, faults.hidesCalls ? { ...claim, calling: [] } : claim, { ...moved, ...shared });
    return { name, driven, isDead: () => dead };
  }

  async function answer(call: StepCall): Promise<StepResult> {
    const before = ledger.filter(({ path }) => path === call.path);
    const record = memory.stepsOf(run).find(({ path }) => path === call.path);
    const afterEnd = record !== undefined && record.state !== 'waiting';
    const output = `${call.path || 'answer'}#${before.length + 1}`;
    const entry: LedgerEntry = { path: call.path, number: call.number, call, afterEnd, output };
    ledger.push(entry);
    await clock.sleep(10 + call.path.length);
    if (before.length < (scenario.fails?.[call.path] ?? 0)) return failure('provider_error', 'It failed.', '');
    const data = call.path === 'list' ? { data: ['one', 'two', 'three'] } : {};
    return { ok: true, output, ...data, stop_reason: 'stop', sanitised: false, spent: spent('succeeded', price) };
  }

  for (let rounds = 0; ; rounds++) {
    if (rounds > 40) stuck = 'It was claimed too often';
    if (stuck !== undefined || (memory.task(run) === undefined && rounds > 0)) break;
    const claim = memory.claim(`worker ${workers}`);
    if (!claim) {
      const asked = memory.stepsOf(run).find(({ state, why }) => state === 'waiting' && why !== 'retry');
      if (asked && memory.decide(run, asked.path, approval(asked.why === 'review' ? 'retry' : 'approve', clock)))
        continue;
      if (memory.nextReady === undefined) stuck = 'Nobody can go on with it';
      else clock.moveTo(memory.nextReady);
      continue;
    }
    const worker = startWorker(claim, `worker ${workers++}`);
    let over: DriveEnd | undefined;
    void worker.driven.done.then((end) => {
      over = end;
      driveEnds.push(end);
    });
    for (await turn(); !over && !worker.isDead(); await turn()) {
      decideEarly(memory, run, clock);
      if (!clock.step()) {
        stuck = 'Nothing will ever happen';
        break;
      }
    }
    if (!over) {
      clock.moveTo(clock.now() + lease);
      memory.takeOver(worker.name);
    }
    if (faults.sameToken && !over) sameToken(memory, run);
  }
  const took = clock.now() - begun;
  for (const resume of paused) resume();
  for (let steps = 0; steps < 200; steps++) {
    await turn();
    if (!clock.step()) break;
  }
  return { scenario, store: memory, clock, ledger, told, points, reserved, stuck, took, driveEnds };
}

/** Who sees that they are asked answers at once, also while the run is still in a worker's hands. */
function decideEarly(memory: MemoryStore, run: string, clock: VirtualClock) {
  const asked = memory
    .stepsOf(run)
    .find(({ state, why, decision }) => state === 'waiting' && why === 'approval' && !decision);
  if (asked) memory.decide(run, asked.path, approval('approve', clock));
}

const approval = (decision: 'approve' | 'retry', clock: VirtualClock) =>
  ({ decision, comment: 'fine', actor: 'person', at: clock.now() }) as const;

function sameToken(memory: MemoryStore, run: string) {
  const task = memory.task(run);
  if (task) task.token -= 2n;
}

function moveVersions(plan: ChainPlan, version: number): ChainPlan {
  const steps = plan.steps.map((step) => {
    const { work } = step;
    if (work.kind === 'approval') return step;
    return { ...step, work: { ...work, call: { ...work.call, pin: { ...work.call.pin, version } } } };
  });
  return { ...plan, steps };
}

function failure(code: 'provider_error' | Parameters<Drive['stop']>[0], detail: string, output: string): StepResult {
  return { ok: false, code, detail, output, sanitised: false, spent: spent('failed', priceOfFailure) };
}

function spent(outcome: 'succeeded' | 'failed', cost: number) {
  const attempt = {
    number: 1,
    model: 'fake/model',
    outcome,
    code: null,
    provider_status: 200,
    first_output_ms: 1,
    total_ms: 2,
  };
  return { model: 'fake/model', attempts: [attempt], usage: unknownUsage, cost_micros: cost, first_output_ms: 1 };
}
