import type { Attempt } from '@damask/contracts/run.ts';
import type { ChainPlan } from '../chain/chain-plan.ts';
import { type LedgerEntry, price, priceOfFailure, reservedPrice, type World } from './crash-world-for-tests.ts';
import type { MemoryStore } from './memory-store-for-tests.ts';

/** What the scenarios themselves say to a model. */
const texts = ['input', 'first part.', 'second part.', 'one', 'two', 'three', 'value', ''];
/** Milliseconds: leases, pauses and calls take less, and a day means that nobody looked. */
const longest = 600_000;

/** What became of one run, from all sides. */
export interface RunSeen {
  readonly run: string;
  readonly store: MemoryStore;
  readonly ledger: readonly LedgerEntry[];
  readonly told: World['told'];
  readonly plan: ChainPlan | null;
}

/** What must hold for a run after whatever happened; answers what does not. The names are those of the fault plan. */
export function brokenRun({ run, store, ledger, told, plan }: RunSeen): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, what: string) => void (holds || broken.push(`${what} (${run})`));
  const ends = store.ends.get(run) ?? [];
  const records = store.stepsOf(run);
  const [end] = ends;
  must(ends.length === 1, `I1: the run has ${ends.length} ends`);
  must(store.task(run) === undefined, 'I3: work is left after the end');
  if (!end) return broken;

  const attemptsOf = (path: string): readonly Attempt[] =>
    path === '' ? end.attempts : (records.find((record) => record.path === path)?.attempts ?? []);
  const count = (attempts: readonly Attempt[], of: Attempt['outcome']) =>
    attempts.filter(({ outcome }) => outcome === of).length;
  for (const path of new Set(ledger.map((entry) => entry.path))) {
    const calls = ledger.filter((entry) => entry.path === path);
    const attempts = attemptsOf(path);
    must(calls.length <= attempts.length, `I4: ${calls.length} calls of "${path}" with ${attempts.length} attempts`);
    must(count(attempts, 'succeeded') <= 1, `I4: "${path}" succeeded twice`);
    // Who was stopped between its commit and its call makes that call late: it is one of those that are known as uncertain.
    const late = calls.filter(({ afterEnd }) => afterEnd).length;
    must(late <= count(attempts, 'uncertain'), `I4: "${path}" was called after its checkpoint`);
    must(new Set(calls.map(({ number }) => number)).size === calls.length, `I4: a call of "${path}" went out twice`);
  }
  for (const record of records) {
    must(record.state !== 'waiting', `I3: "${record.path}" still waits`);
    const known =
      record.calls === 0 || record.state !== 'succeeded' || ledger.some(({ output }) => output === record.output);
    must(known, `I5: "${record.path}" keeps ${record.output}, which nobody answered`);
  }
  // What a call was given is made of texts of the scenario and of answers: each must be the one that was kept.
  const given = new Set([...texts, ...records.map(({ output }) => output)]);
  for (const { path, call } of ledger.filter((entry) => !entry.path.includes('/map['))) {
    for (const text of call.input.split('\n\n'))
      must(given.has(text.trim()) || text.startsWith('['), `I5: "${path}" was given "${text}"`);
  }
  const last = plan && 'step' in plan.output ? plan.output.step : undefined;
  const lastRecord = records.find(({ path }) => path === last);
  if (end.status === 'succeeded' && lastRecord?.state === 'succeeded' && lastRecord.calls > 0) {
    must(end.output === lastRecord.output, 'I5: the end is not what the last step keeps');
  }
  must(
    plan === null || ledger.every(({ call }) => call.pattern?.version === 3),
    'I9: a step was called with another version',
  );
  must(
    told.every(({ kept }) => kept),
    'I6: a step was told before it was kept',
  );
  for (const path of new Set(told.map((one) => one.path))) {
    const states = told.filter((one) => one.path === path && one.state !== 'waiting').map(({ state }) => state);
    must(new Set(states).size <= 1, `I6: "${path}" was told to have ended in two ways`);
  }
  const all = plan === null ? end.attempts : records.flatMap(({ attempts }) => attempts);
  const costs = { succeeded: price, failed: priceOfFailure, cancelled: 0, uncertain: reservedPrice };
  const due = all.reduce((sum, { outcome }) => sum + costs[outcome], 0);
  must(end.cost_micros === due, `I7: ${end.cost_micros} was charged for attempts of ${due}`);
  return broken;
}

/** What must hold in a world of one run. */
export function brokenInvariants(world: World): string[] {
  const { scenario, store, ledger, told, reserved, stuck, driveEnds, took } = world;
  const { work } = scenario;
  const broken = brokenRun({ run: 'run', store, ledger, told, plan: work.kind === 'chain' ? work.plan : null });
  const must = (holds: boolean, what: string) => void (holds || broken.push(what));
  must(stuck === undefined, `I1: ${stuck}`);
  must(took < longest, `I1: it took ${took} ms`);
  must(store.ends.size <= 1, 'I2: a run has an end that was never accepted');
  must(driveEnds.filter(({ kind }) => kind === 'ended').length <= 1, 'I3: two workers told an end');
  must(reserved >= 0, 'I7: more was given back than was reserved');
  return broken;
}

/** Nothing crashed: then nothing may be left reserved either, and nothing uncertain. */
export function brokenAtRest({ reserved, store }: World): string[] {
  const uncertain = store
    .stepsOf('run')
    .some(({ attempts }) => attempts.some(({ outcome }) => outcome === 'uncertain'));
  return [
    ...(reserved === 0 ? [] : [`I7: ${reserved} are still reserved`]),
    ...(uncertain ? ['I4: something is uncertain'] : []),
  ];
}
