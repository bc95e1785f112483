import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { systemClock } from './clock.ts';
import { createDrain } from './drain-server.ts';

async function open(answerAfter: number) {
  const server = createServer((_, response) => void setTimeout(() => response.end('in time'), answerAfter).unref());
  const drain = createDrain(server, systemClock);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { drain, url: `http://127.0.0.1:${port}/`, port };
}

test('connections that nobody has used yet do not hold up the end, and requests in flight are answered', async () => {
  const { drain, url, port } = await open(200);
  const unused = connect(port, '127.0.0.1');
  await once(unused, 'connect');
  const request = fetch(url).then((response) => response.text());
  await systemClock.sleep(50);
  const started = systemClock.monotonic();
  await drain(10_000);
  assert.ok(systemClock.monotonic() - started < 2_000);
  assert.equal(await request, 'in time');
});

test('what has not ended in time is closed', async () => {
  const { drain, url } = await open(60_000);
  const request = fetch(url);
  request.catch(() => undefined);
  await systemClock.sleep(50);
  await drain(100);
  await assert.rejects(request);
});
