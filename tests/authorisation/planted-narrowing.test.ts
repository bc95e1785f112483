import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { behindGateway } from './behind-gateway.ts';
import { expectCaught } from './expect-caught.ts';
import { type Logins, loginFaults, makeLogins, signedIn } from './login-faults.ts';
import {
  makeNarrowKeys,
  type NarrowKeys,
  narrowKeyFaults,
  narrowness,
  reachFaults,
  teamFaults,
} from './narrow-faults.ts';
import type { Fault } from './planted-faults.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
let keys: NarrowKeys;
let logins: Logins;
before(async () => {
  world = await startTwoWorkspaces();
  keys = await makeNarrowKeys(world);
  logins = await makeLogins(world);
});
after(() => world.stop());

// planted-narrowing.deep.test.ts takes all of them.
const oneInEight = (faults: readonly Fault[]) => faults.filter((_, at) => at % 8 === 0);

test('operations that do not look at what a key reaches, or at the team of a pattern, turn it red', async (t) => {
  await expectCaught(t, world, oneInEight([...reachFaults(keys), ...teamFaults()]));
});

test('keys that lost what narrows them turn it red', async (t) => {
  await expectCaught(t, world, narrowKeyFaults(keys));
});

test('each check of people who signed in that is taken away turns it red', async (t) => {
  await expectCaught(t, world, loginFaults(world, logins));
});

test('with all faults gone it is green again', async () => {
  const wrong = await behindGateway(world, {}, async (at) => [
    ...(await narrowness(at, keys)),
    ...(await signedIn(at, logins)),
  ]);
  assert.deepEqual(wrong, []);
});
