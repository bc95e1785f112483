import type { Clock } from '#platform/clock.ts';
import type { LedgerEntry } from './crash-world-for-tests.ts';
import { drive } from './drive-run.ts';
import type { MemoryStore } from './memory-store-for-tests.ts';
import type { Claim, EnginePorts, OnUncertain, StepCall, StepResult } from './ports.ts';
import { type Dice, failure, reservedPrice, rollAnswer } from './simulation-for-tests.ts';
import type { Drive, DriveEnd, Work } from './work.ts';

/** A run of the simulation, with what is seen of it from outside. */
export interface SimulatedRun {
  readonly id: string;
  readonly work: Work;
  readonly onUncertain: OnUncertain;
  readonly ledger: LedgerEntry[];
  cancelled: boolean;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly memory: MemoryStore;
  readonly dice: Dice;
  readonly runs: ReadonlyMap<string, SimulatedRun>;
  /** Whether anything may still go wrong. */
  readonly calm: () => boolean;
  /** A worker gave something back that another one may take. */
  readonly announce: () => void;
}

/** A worker process: it can be killed, stand still, lose replies, and be stopped in order. */
export interface SimulatedProcess {
  readonly name: string;
  readonly alive: boolean;
  readonly held: ReadonlyMap<string, Drive>;
  readonly reserved: number;
  look(): void;
  kill(): void;
  /** Nothing of it happens until then. */
  pause(milliseconds: number): void;
  drain(): void;
}

const slots = 3;

export function startProcess(name: string, world: Surroundings): SimulatedProcess {
  const { clock, memory, dice, runs, calm, announce } = world;
  const held = new Map<string, Drive>();
  const never = new Promise<never>(() => undefined);
  let alive = true;
  let standsUntil = 0;
  let unsure = false;
  let looking = false;
  let draining = false;
  let reserved = 0;

  /** Passes when the process runs. */
  const gate = async () => {
    while (alive && clock.now() < standsUntil) await clock.sleep(standsUntil - clock.now());
    if (!alive) await never;
  };
  const reach = async <Value>(effect: () => Promise<Value>, faulty: boolean): Promise<Value> => {
    const failing = (share: number) => faulty && !calm() && dice.chance(share);
    await clock.sleep(dice.between(0, 12));
    await gate();
    if (failing(0.02)) throw new Error('The connection is gone');
    const value = await effect();
    await clock.sleep(dice.between(0, 12));
    await gate();
    if (failing(0.03)) throw new Error('The reply is lost');
    return value;
  };

  const ports: EnginePorts = {
    random: dice.roll,
    clock: {
      ...clock,
      after: (ms, call) => clock.after(ms, () => void gate().then(call)),
      sleep: async (ms) => {
        await clock.sleep(ms);
        await gate();
      },
    },
    store: {
      steps: (claim) => reach(() => memory.store.steps(claim), true),
      checkpoint: (claim, progress) => reach(() => memory.store.checkpoint(claim, progress), true),
      finish: (claim, end, done) => reach(() => memory.store.finish(claim, end, done), true),
    },
    queue: {
      release: (claim, options) => reach(() => memory.queue.release(claim, options), true),
      wait: (claim, options) => reach(() => memory.queue.wait(claim, options), true),
    },
    provider: {
      async prepare({ id }) {
        await clock.sleep(dice.between(0, 3));
        await gate();
        reserved += 1;
        const forgo = () => {
          reserved -= 1;
        };
        const { onUncertain } = runs.get(id) as SimulatedRun;
        return { model: 'fake/model', reserved_micros: reservedPrice, on_uncertain: onUncertain, forgo };
      },
      call({ id }, call) {
        let abort!: (result: StepResult) => void;
        let isAborted = false;
        const aborted = new Promise<StepResult>((resolve) => {
          abort = resolve;
        });
        const done = Promise.race([answer(runs.get(id) as SimulatedRun, call, () => isAborted), aborted]).then(
          async (result) => {
            await gate();
            reserved -= 1;
            return result;
          },
        );
        return {
          done,
          abort(code) {
            isAborted = true;
            abort(failure(code === 'run_cancelled' ? code : 'interrupted', 'failed'));
          },
        };
      },
    },
  };

  async function answer({ id, ledger }: SimulatedRun, call: StepCall, isAborted: () => boolean): Promise<StepResult> {
    if (dice.chance(0.3)) await clock.sleep(dice.between(0, 5));
    await gate();
    // It had not left the process yet.
    if (isAborted()) return never;
    const record = memory.stepsOf(id).find(({ path }) => path === call.path);
    const ended = record ? record.state !== 'waiting' : memory.ends.has(id);
    const before = ledger.filter(({ path }) => path === call.path).length;
    const output = `${call.path || 'answer'}#${before + 1}`;
    ledger.push({ path: call.path, number: call.number, call, afterEnd: ended, output });
    await clock.sleep(dice.chance(0.3) ? dice.between(0, 20_000) : dice.between(1, 1_500));
    return rollAnswer(dice, output);
  }

  async function claimOne(): Promise<boolean> {
    await clock.sleep(dice.between(0, 10));
    await gate();
    const claim = memory.claim(name);
    if (!claim) return false;
    if (!calm() && dice.chance(0.05)) {
      // Taken in hand, and never heard of it.
      unsure = true;
      return false;
    }
    start(claim);
    return true;
  }

  function start(claim: Claim) {
    const run = runs.get(claim.id) as SimulatedRun;
    held.get(run.id)?.drop();
    const driven = drive(ports, claim, run.work);
    held.set(run.id, driven);
    if (run.cancelled) driven.stop('run_cancelled', 'Enough.');
    const leave = (end?: DriveEnd) => {
      if (held.get(run.id) === driven) held.delete(run.id);
      // What it does not know the end of, it gives up as if it had died with it.
      if (!end) memory.takeOver(name, run.id);
      if (alive) announce();
    };
    driven.done.then(leave, () => leave());
  }

  async function look() {
    if (looking || !alive || draining) return;
    looking = true;
    await gate();
    for (const [run, driven] of held) if (memory.task(run)?.owner !== name && dice.chance(0.7)) driven.drop();
    if (unsure) {
      unsure = false;
      for (const id of runs.keys()) if (!held.has(id)) memory.takeOver(name, id);
    }
    while (held.size < slots && !draining && (await claimOne()));
    looking = false;
  }

  return {
    name,
    held,
    get alive() {
      return alive;
    },
    get reserved() {
      return reserved;
    },
    look: () => void look(),
    kill() {
      alive = false;
    },
    pause(milliseconds) {
      standsUntil = clock.now() + milliseconds;
    },
    drain() {
      draining = true;
      for (const driven of held.values()) driven.handBack();
    },
  };
}
