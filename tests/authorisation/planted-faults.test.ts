import { after, before, test } from 'node:test';
import { expectCaught, expectGreen } from './expect-caught.ts';
import { type Fault, keyFaults, permissionFaults, rowFaults, workspaceFaults } from './planted-faults.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

let world: TwoWorkspaces;
before(async () => {
  world = await startTwoWorkspaces();
});
after(() => world.stop());

// planted-faults.deep.test.ts takes all of them.
const oneInEight = (faults: readonly Fault[]) => faults.filter((_, at) => at % 8 === 0);

test('permission checks that are taken away turn the matrix red', async (t) => {
  const operations = world.gateway.routes.all.map(({ operation }) => operation);
  await expectCaught(t, world, oneInEight(permissionFaults(operations)));
});

test('keys that are accepted too long, or for another workspace, turn the matrix red', async (t) => {
  await expectCaught(t, world, keyFaults());
});

test('tables without row-level security, and policies without their condition, turn it red', async (t) => {
  await expectCaught(t, world, oneInEight(await rowFaults(world)));
});

test("operations that read another workspace than the caller's turn it red", async (t) => {
  const reading = workspaceFaults(world).filter(({ name }) => name.startsWith('GET'));
  await expectCaught(t, world, oneInEight(reading));
});

test('with all faults gone it is green again', async () => {
  await expectGreen(world, 4);
});
