import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectCaught, expectGreen } from './expect-caught.ts';
import { permissionFaults, rowFaults, workspaceFaults } from './planted-faults.ts';
import { checksumOf } from './row-cases.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
before(async () => {
  world = await startTwoWorkspaces();
});
after(() => world.stop());

test('each permission check that is taken away turns the matrix red', async (t) => {
  const operations = world.gateway.routes.all.map(({ operation }) => operation);
  await expectCaught(t, world, permissionFaults(operations));
});

test('each table without row-level security, and each policy without its condition, turns it red', async (t) => {
  await expectCaught(t, world, await rowFaults(world));
});

test("each operation that serves another workspace than the caller's turns the matrix red", async (t) => {
  const missed: string[] = [];
  const faults = workspaceFaults(world);
  for (const fault of faults) {
    const before = await checksumOf(world, world.beta.workspace);
    if ((await fault.catch(world)).length === 0) missed.push(fault.name);
    const changed = JSON.stringify(before) !== JSON.stringify(await checksumOf(world, world.beta.workspace));
    if (!changed) continue;
    // What the fault has destroyed would turn the next one's cases red, too.
    await world.stop();
    world = await startTwoWorkspaces();
  }
  assert.deepEqual(missed, []);
  t.diagnostic(`${faults.length} planted faults, all caught`);
});

test('with all of them gone it is green again', async () => {
  await expectGreen(world, 1);
});
