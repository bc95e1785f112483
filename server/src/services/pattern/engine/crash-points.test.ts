import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beside, report, review } from './chains-for-tests.ts';
import { type Crash, runWorld, type Scenario, type World, type WorldFaults } from './crash-world-for-tests.ts';
import { brokenAtRest, brokenInvariants } from './invariants-for-tests.ts';

const scenarios: readonly Scenario[] = [
  { name: 'chain that is retried', work: { kind: 'chain', plan: review }, onUncertain: 'retry', fails: { style: 1 } },
  { name: 'chain that is reviewed', work: { kind: 'chain', plan: review }, onUncertain: 'review', fails: { style: 1 } },
  { name: 'chain that fails', work: { kind: 'chain', plan: review }, onUncertain: 'fail', fails: { style: 1 } },
  { name: 'approval beside a call', work: { kind: 'chain', plan: beside }, onUncertain: 'retry' },
  { name: 'report', work: { kind: 'chain', plan: report }, onUncertain: 'retry', fails: { broken: 9 } },
  { name: 'run that is retried', work: { kind: 'plain' }, onUncertain: 'retry' },
  { name: 'run that is reviewed', work: { kind: 'plain' }, onUncertain: 'review' },
  { name: 'run that fails', work: { kind: 'plain' }, onUncertain: 'fail' },
];
const sides = ['before', 'after'] as const;

const name = (scenario: Scenario, crashes: readonly Crash[]) =>
  `(${[scenario.name, ...crashes.map(({ at, side, how }) => `${how} ${side} ${at}`)].join(', ')})`;

async function check(scenario: Scenario, crashes: readonly Crash[], faults?: WorldFaults): Promise<World> {
  const world = await runWorld(scenario, crashes, faults);
  const broken = brokenInvariants(world);
  assert.deepEqual(broken, [], name(scenario, crashes));
  return world;
}

async function* singles(scenario: Scenario, how: Crash['how'], faults?: WorldFaults) {
  const { points } = await runWorld(scenario, [], faults);
  for (let at = 0; at < points; at++) for (const side of sides) yield { at, side, how };
}

test('without a crash every scenario succeeds, and nothing is called twice', async () => {
  for (const scenario of scenarios) {
    const world = await check(scenario, []);
    assert.deepEqual(brokenAtRest(world), []);
    const [end] = world.store.ends.get('run') ?? [];
    assert.equal(end?.status, 'succeeded', `${scenario.name}: ${end?.error?.detail}`);
  }
});

test('a worker that is killed at any await leaves a run that another one ends well', async () => {
  for (const scenario of scenarios) for await (const crash of singles(scenario, 'kill')) await check(scenario, [crash]);
});

test('a worker that counts as dead and goes on later changes nothing', async () => {
  for (const scenario of scenarios)
    for await (const crash of singles(scenario, 'pause')) await check(scenario, [crash]);
});

test('two workers that are killed one after the other at any two awaits lose and double nothing', async () => {
  for (const scenario of scenarios.filter(({ work }) => work.kind === 'plain' || work.plan !== report)) {
    for await (const first of singles(scenario, 'kill')) {
      const { points } = await runWorld(scenario, [first]);
      for (let at = first.at + 1; at < points; at++) {
        for (const side of sides) await check(scenario, [first, { at, side, how: 'kill' }]);
      }
    }
  }
});

const planted: readonly (keyof WorldFaults)[] = [
  'unfenced',
  'forgetsCalls',
  'forgetsSteps',
  'keepsWork',
  'missesDecisions',
  'earlyReply',
  'hidesCalls',
  'movesVersions',
  'freeCalls',
  'cutsOutputs',
  'sameToken',
];

for (const fault of planted) {
  test(`the planted bug "${fault}" is caught`, async () => {
    const faults = { [fault]: true };
    for (const scenario of scenarios) {
      for (const how of ['kill', 'pause'] as const) {
        for await (const crash of singles(scenario, how, faults)) {
          if (brokenInvariants(await runWorld(scenario, [crash], faults)).length > 0) return;
        }
      }
    }
    assert.fail('No crash point shows it');
  });
}
