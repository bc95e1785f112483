import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { workspaceFaults } from './planted-faults.ts';
import { checksumOf } from './row-cases.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
before(async () => {
  world = await startTwoWorkspaces();
});
after(() => world.stop());

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
