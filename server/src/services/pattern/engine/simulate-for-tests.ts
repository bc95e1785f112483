import { brokenRun } from './invariants-for-tests.ts';
import { createMemoryStore, type StoreFaults } from './memory-store-for-tests.ts';
import {
  type SimulatedProcess,
  type SimulatedRun,
  type Surroundings,
  startProcess,
} from './simulated-process-for-tests.ts';
import { createDice, rollChain } from './simulation-for-tests.ts';
import { createVirtualClock, turn } from './virtual-clock-for-tests.ts';
import type { Work } from './work.ts';

const lease = 15_000;
const heartbeat = 5_000;
/** Milliseconds in which things go wrong; afterwards all must come to its end. */
const trouble = 60_000;
const longest = trouble + 4 * 86_400_000;

/**
 * A cluster that fails in every way for a minute: two workers that are killed, stand still, stop in order and lose replies; a
 * broker that doubles, delays and loses messages; people who decide and cancel. Answers what does not hold in the end.
 */
export async function simulate(seed: number, faults: StoreFaults = {}): Promise<string[]> {
  const dice = createDice(seed);
  const clock = createVirtualClock();
  const memory = createMemoryStore({ clock, faults });
  const begun = clock.now();
  const calm = () => clock.now() - begun > trouble;
  const runs = new Map<string, SimulatedRun>();
  const told = new Map<string, { path: string; state: string; kept: boolean }[]>();
  const processes: SimulatedProcess[] = [];
  const gone: SimulatedProcess[] = [];
  let accepted = 0;
  let born = 0;

  const wakeOne = () => dice.pick(processes).look();
  const publish = () => {
    if (!calm() && dice.chance(0.2)) return;
    for (let copies = dice.chance(0.2) ? 3 : 1; copies > 0; copies--) clock.after(dice.between(0, 2_000), wakeOne);
  };
  const world: Surroundings = { clock, memory, dice, runs, calm, announce: publish };
  const birth = (slot: number) => {
    processes[slot] = startProcess(`process ${born++}`, world);
  };
  /** Whoever stands still for too long, or is no more, loses what it had in hand. */
  const takeOverIn = (milliseconds: number, { name }: SimulatedProcess) =>
    clock.after(milliseconds, () => {
      memory.takeOver(name);
      publish();
    });

  function accept() {
    const id = `run ${accepted++}`;
    const seen: { path: string; state: string; kept: boolean }[] = [];
    told.set(id, seen);
    const changed: Work['changed'] = (path, state) => {
      const kept = memory.stepsOf(id).find((one) => one.path === path);
      if (state !== 'running') seen.push({ path, state, kept: kept?.state === state });
    };
    const shared = { input: 'input', variables: {}, changed };
    const plain = dice.chance(0.25);
    const work: Work = plain
      ? { kind: 'plain', timeoutMs: null, ...shared }
      : { kind: 'chain', plan: rollChain(dice), ...shared };
    runs.set(id, { id, work, onUncertain: dice.pick(['retry', 'fail', 'review']), ledger: [], cancelled: false });
    const deadline = dice.chance(0.15) ? clock.now() + dice.between(500, 90_000) : null;
    const add = () => {
      memory.add({ workspace: 'workspace', id, deadline });
      publish();
    };
    add();
    // The client never heard of it.
    if (dice.chance(0.2)) clock.after(dice.between(0, 30_000), add);
    if (dice.chance(0.15)) clock.after(dice.between(0, 40_000), () => cancel(id));
  }

  function cancel(id: string) {
    const run = runs.get(id) as SimulatedRun;
    run.cancelled = true;
    for (const { held } of processes) held.get(id)?.stop('run_cancelled', 'Enough.');
  }

  function goWrong() {
    const slot = dice.between(0, 1);
    const process = processes[slot] as SimulatedProcess;
    const silent = lease - dice.between(0, heartbeat);
    const fate = dice.between(0, 2);
    if (fate === 0) {
      const length = dice.between(100, 30_000);
      process.pause(length);
      if (length > silent) takeOverIn(silent, process);
      return;
    }
    gone.push(process);
    if (fate === 1) {
      process.kill();
      takeOverIn(dice.chance(0.5) ? dice.between(0, 1_000) : silent, process);
    } else {
      process.drain();
      // What it could not give back in time is taken from it.
      clock.after(4_000, () => process.kill());
      takeOverIn(4_000 + dice.between(0, silent), process);
    }
    birth(slot);
  }

  function decide() {
    for (const { id } of runs.values()) {
      for (const { path, state, why, decision } of memory.stepsOf(id)) {
        if (state !== 'waiting' || why === 'retry' || decision || !dice.chance(0.4)) continue;
        const said =
          why === 'review' ? dice.pick(['retry', 'fail'] as const) : dice.pick(['approve', 'reject'] as const);
        if (!memory.decide(id, path, { decision: said, comment: 'value', actor: 'person', at: clock.now() })) continue;
        publish();
        if (dice.chance(0.5)) for (const { held } of processes) held.get(id)?.decided();
      }
    }
  }

  /** A lost message costs one sweep. */
  function sweep() {
    for (const process of processes) process.look();
    const next = Math.max(0, (memory.nextReady ?? 0) - clock.now());
    clock.after(calm() ? Math.min(Math.max(1_000, next), 60_000) : 1_000, sweep);
  }

  birth(0);
  birth(1);
  for (let count = dice.between(2, 5); count > 0; count--) clock.after(dice.between(0, trouble / 2), accept);
  for (let count = dice.between(2, 12); count > 0; count--) clock.after(dice.between(100, trouble), goWrong);
  const people = () => {
    decide();
    clock.after(dice.between(1_000, 9_000), people);
  };
  people();
  sweep();

  const over = () => calm() && runs.size === accepted && [...runs.keys()].every((id) => memory.ends.has(id));
  for (await turn(); !over() && clock.now() - begun < longest; await turn()) clock.step();
  // Those that stood still meanwhile go on, and change nothing.
  for (const until = clock.now() + 2 * trouble; clock.next < until; await turn()) clock.step();

  const broken = [...runs.values()].flatMap(({ id, work, ledger }) =>
    brokenRun({
      run: id,
      store: memory,
      ledger,
      told: told.get(id) ?? [],
      plan: work.kind === 'chain' ? work.plan : null,
    }),
  );
  for (const { name, reserved } of processes)
    if (reserved !== 0) broken.push(`I13: ${name} still reserves ${reserved}`);
  if (memory.ends.size > accepted) broken.push('I2: a run has an end that was never accepted');
  return broken;
}
