import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Fault } from './planted-faults.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

/** Plants one fault after the other; each must be noticed. */
export async function expectCaught(t: TestContext, world: TwoWorkspaces, faults: readonly Fault[]) {
  const missed: string[] = [];
  let atEdge = 0;
  for (const fault of faults) {
    const red = await fault.catch(world);
    if (red.length === 0) missed.push(fault.name);
    if (red.some((sentence) => !sentence.startsWith('rows of beta'))) atEdge += 1;
  }
  assert.deepEqual(missed, []);
  t.diagnostic(`${faults.length} planted faults, all caught; ${atEdge} of them at the edge`);
}
