import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';
import { writeInParallel } from './write-in-parallel.ts';

let world: AuditWorld;
before(async () => {
  world = await startAuditWorld();
});
after(() => world.stop());

test('G-8: parallel writers, some of which roll back, leave one entry for each change that was committed', async () => {
  const { platform } = world;
  const committed = await writeInParallel(platform.floor.database, {
    workspaces: [platform.alpha.id, platform.beta.id],
    writers: 12,
    each: 10,
    rolledBack: 0.2,
    seed: 1,
  });
  await world.anchor();
  const sealed = await world.behind<{ id: string }>(
    `select request_id as id from identity.audit_entry where action = 'write'`,
  );
  assert.deepEqual(sealed.map(({ id }) => id).sort(), [...committed].sort());
  const verdict = await world.verify();
  assert.deepEqual(verdict.problems, []);
  // Sealed in the order of commits within a service: whoever reads on from a place misses nothing.
  const order = await world.behind<{ xact: string }>(
    `select a.xact::text as xact from identity.audit_entry as e join identity.audit as a on a.workspace = e.workspace and a.id = e.id
      order by e.position`,
  );
  const numbers = order.map(({ xact }) => BigInt(xact));
  assert.ok(numbers.every((one, at) => at === 0 || one >= (numbers[at - 1] as bigint)));
});
