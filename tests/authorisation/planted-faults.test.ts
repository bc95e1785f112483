import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { fieldCases } from './field-cases.ts';
import { failuresOf, matrixCases } from './matrix-cases.ts';
import { type Fault, keyFaults, permissionFaults, rowFaults, workspaceFaults } from './planted-faults.ts';
import { readTable } from './read-table.ts';
import { rowCases } from './row-cases.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
before(async () => {
  world = await startTwoWorkspaces();
});
after(() => world.stop());

async function expectCaught(t: TestContext, faults: readonly Fault[]) {
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

test('each permission check that is taken away turns the matrix red', async (t) => {
  const operations = world.gateway.routes.all.map(({ operation }) => operation);
  await expectCaught(t, permissionFaults(operations));
});

test('keys that are accepted too long, or for another workspace, turn the matrix red', async (t) => {
  await expectCaught(t, keyFaults());
});

test('each table without row-level security, and each policy without its condition, turns it red', async (t) => {
  await expectCaught(t, await rowFaults(world));
});

test("operations that read another workspace than the caller's turn it red", async (t) => {
  const reading = workspaceFaults(world).filter(({ name }) => name.startsWith('GET'));
  await expectCaught(t, reading);
});

test('with all faults gone it is green again', async () => {
  const cases = [
    ...matrixCases(world, readTable('authorisation.csv')),
    ...fieldCases(world, readTable('fields.csv')),
    ...(await rowCases(world)),
  ];
  assert.deepEqual(await failuresOf(cases, world), []);
});
