import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Announce } from './announce.ts';
import { tellRunning, writeInstanceNote } from './instance-file.ts';
import { systemClock } from './platform/clock.ts';
import { createEgress } from './platform/egress/egress.ts';

const egress = createEgress({ allow: [], clock: systemClock });
const server = createServer((_, response) => response.end('{}'));
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'damask-note-'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await egress.close();
  await rm(folder, { recursive: true });
});

async function told(pid: number): Promise<number[]> {
  const pids: number[] = [];
  const announce = { alreadyRunning: (_: string, running: number) => pids.push(running) } as unknown as Announce;
  writeInstanceNote(folder, { pid, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  assert.equal(await tellRunning(folder, egress, announce), pids.length > 0);
  return pids;
}

test('a server that lives and answers is told', async () => {
  assert.deepEqual(await told(process.ppid), [process.ppid]);
});

test('a note of a dead server is nothing, although something else answers at its address now', async () => {
  assert.deepEqual(await told(2 ** 22 + 1), []);
  assert.deepEqual(await told(process.pid), [], 'a pid that came again');
});
