import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';
import { chanceOf } from './tamper.ts';
import { writeInParallel } from './write-in-parallel.ts';

let world: AuditWorld;
before(async () => {
  world = await startAuditWorld();
});
after(() => world.stop());

const program = fileURLToPath(new URL('./sequencer-process.ts', import.meta.url));

async function startSequencer(connection: object): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--disable-proto=delete', program, JSON.stringify(connection)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

test('G-8: fifty writers, one in five rolled back, and sequencers that are killed leave no fork and no gap', async () => {
  const { platform } = world;
  const { alpha, beta, connection } = platform;
  const login = { ...connection, user: `${connection.database}_login` };
  const chance = chanceOf(8);
  const written = new Set<string>();
  let writing = true;
  const writers = (async () => {
    for (let round = 0; round < 6; round += 1) {
      const plan = { workspaces: [alpha.id, beta.id], writers: 50, each: 10, rolledBack: 0.2, seed: round + 10 };
      for (const id of await writeInParallel(platform.floor.database, plan)) written.add(id);
    }
    writing = false;
  })();
  let kills = 0;
  const killing = [0, 1].map(async () => {
    while (writing) {
      const child = await startSequencer(login);
      await sleep(50 + chance() * 400);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      kills += 1;
    }
  });
  await Promise.all([writers, ...killing]);
  await world.anchor();
  assert.ok(kills >= 6, `${kills} kills`);
  const sealed = await world.behind<{ id: string }>(
    `select request_id as id from identity.audit_entry where action = 'write'`,
  );
  assert.equal(sealed.length, written.size);
  assert.ok(sealed.every(({ id }) => written.has(id)));
  assert.deepEqual((await world.verify()).problems, []);
  const gaps = await world.behind(
    `select workspace from identity.audit_entry group by workspace having count(*) <> max(seq) or min(seq) <> 1`,
  );
  assert.deepEqual(gaps, []);
});
