import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fieldCases } from './field-cases.ts';
import { failuresOf, matrixCases } from './matrix-cases.ts';
import type { Fault } from './planted-faults.ts';
import { readTable } from './read-table.ts';
import { rowCases } from './row-cases.ts';
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

/** With all faults gone the cases are green again; asks one in `every` of them. */
export async function expectGreen(world: TwoWorkspaces, every: number): Promise<void> {
  const cases = [
    ...matrixCases(world, readTable('authorisation.csv')),
    ...fieldCases(world, readTable('fields.csv')),
    ...(await rowCases(world)),
  ];
  const asked = cases.filter((_, at) => at % every === 0);
  const failures = await failuresOf(asked, world);
  // What alpha read of beta while there were faults stands in alpha's log, as it must.
  const told = /^GET \/v1\/audit(?:\/export)? answered with .*"action/;
  assert.deepEqual(
    failures.filter((failure) => !told.test(failure.replaceAll('\\', ''))),
    [],
  );
}
