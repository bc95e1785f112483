import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditEntry } from '@damask/contracts/audit.ts';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';
import { chanceOf, tamperings } from './tamper.ts';

let world: AuditWorld;
before(async () => {
  world = await startAuditWorld();
  await world.write(40);
  await world.anchor();
  await world.write(20);
  await world.anchor();
});
after(() => world.stop());

test('each of 1,000 random edits, deletions, reorderings and cuts of the stored log is found with the checkpoints outside', async () => {
  const whole: readonly AuditEntry[] = await world.entries();
  const names = Object.keys(tamperings);
  const missed: string[] = [];
  for (let seed = 0; seed < 1_000; seed += 1) {
    const name = names[seed % names.length] as string;
    await world.replace(tamperings[name]?.(whole, chanceOf(seed + 5_000)) ?? []);
    if ((await world.verify()).problems.length === 0) missed.push(`${seed}: ${name}`);
  }
  assert.deepEqual(missed, []);
  await world.replace(whole);
  assert.deepEqual((await world.verify()).problems, []);
});
