import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type Clock, systemClock } from './clock.ts';
import { registerProcess } from './process-registry.ts';
import { type MigratedDatabase, migratedDatabase } from './testing/migrated-database.ts';

let migrated: MigratedDatabase;
let admin: pg.Client;
before(async () => {
  migrated = await migratedDatabase({});
  admin = new pg.Client(migrated.connection);
  await admin.connect();
});
after(async () => {
  await admin.end();
  await migrated.drop();
});

/** Time stands until it is moved; the heartbeat comes when it is asked for. */
function makeClock() {
  let time = 0;
  let next: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => time,
    after: (_, call) => {
      next = call;
      return { cancel: () => undefined };
    },
  };
  return {
    clock,
    move(milliseconds: number) {
      time += milliseconds;
    },
    async beat() {
      next?.();
      await systemClock.sleep(100);
    },
  };
}

const register = (clock: Clock = systemClock) =>
  registerProcess({ database: migrated.database, clock, log: migrated.log, pid: process.pid });
const silence = (id: string) =>
  admin.query(`update platform.process set heartbeat_at = now() - interval '1 minute' where id = $1`, [id]);

test('a process that was taken for dead and lives on is found again when it dies', async () => {
  const { clock, beat } = makeClock();
  const zombie = await register(clock);
  const other = await register();
  const dead = async () => (await other.findDead()).map((process) => process.id);
  await silence(zombie.id);
  assert.deepEqual(await dead(), [zombie.id]);
  await other.markRecovered(zombie.id);
  assert.deepEqual(await dead(), []);
  await beat();
  await silence(zombie.id);
  assert.deepEqual(await dead(), [zombie.id]);
  await zombie.stop();
  assert.deepEqual(await dead(), []);
  await other.stop();
});

test('a process knows since when others could not count on it', async () => {
  const { clock, move, beat } = makeClock();
  const registry = await register(clock);
  move(5_000);
  await beat();
  assert.equal(registry.lapsedSince(0), false);
  move(12_000);
  assert.equal(registry.lapsedSince(0), true, 'silent now');
  await beat();
  assert.equal(registry.lapsedSince(1_000), true, 'silent in between');
  move(1);
  assert.equal(registry.lapsedSince(clock.monotonic()), false, 'not since');
  await registry.stop();
});

test('a pid of another container says nothing: only its silence does', async () => {
  const registry = await register();
  const other = systemClock.uuid();
  const [{ host }] = (await admin.query('select host from platform.process where id = $1', [registry.id])).rows;
  const insert = (id: string, on: string) =>
    admin.query('insert into platform.process (id, host, pid) values ($1, $2, $3)', [id, on, 2 ** 22 + 1]);
  await insert(other, host.replace(/pid:\[\d+\]/, 'pid:[1]'));
  assert.deepEqual(await registry.findDead(), []);
  const here = systemClock.uuid();
  await insert(here, host);
  assert.deepEqual(
    (await registry.findDead()).map((process) => process.id),
    [here],
  );
  await registry.stop();
});
