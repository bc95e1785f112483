import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Operation } from '@damask/contracts/operation.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { reachRules } from '../../server/src/services/pattern/reach/reach-rules.ts';
import { expectCaught } from './expect-caught.ts';
import {
  beyondReach,
  makeNarrowKeys,
  type NarrowKeys,
  ofAnotherTeam,
  ofTeams,
  reachFaults,
  teamFaults,
} from './narrow-faults.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
let keys: NarrowKeys;
before(async () => {
  world = await startTwoWorkspaces();
  keys = await makeNarrowKeys(world);
});
after(() => world.stop());

test('each operation that does not look at what a key reaches turns it red', async (t) => {
  await expectCaught(t, world, reachFaults(keys));
});

test('each operation that does not look at the team of its pattern turns it red', async (t) => {
  await expectCaught(t, world, teamFaults());
});

test('with all faults gone it is green again', async () => {
  const wrong: string[] = [];
  const operations: Readonly<Record<string, Operation>> = serviceOperations.pattern;
  for (const [name, rule] of Object.entries(reachRules)) {
    if (rule === 'free') continue;
    wrong.push(...(await beyondReach(world, operations[name] as Operation, keys.patterned, rule === 'lists')));
  }
  for (const name of ofTeams) wrong.push(...(await ofAnotherTeam(world, operations[name] as Operation)));
  assert.deepEqual(wrong, []);
});
