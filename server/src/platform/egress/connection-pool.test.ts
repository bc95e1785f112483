import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'undici';
import { ConnectionPool } from './connection-pool.ts';

let connections = 0;
const held: ServerResponse[] = [];
const server = createServer((request, response) => {
  if (request.url === '/hold') held.push(response);
  else response.end('done');
}).on('connection', () => {
  connections += 1;
});
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.close();
  server.closeAllConnections();
});

function open(most: number) {
  connections = 0;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pool = new ConnectionPool(() => new Client(origin, { pipelining: 1 }), most);
  const get = async (path: string, headers = {}) => {
    const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
    return [statusCode, await body.text()] as const;
  };
  return { pool, get };
}

async function answerHeld(count: number) {
  while (held.length < count) await wait(1);
  for (const response of held.splice(0)) response.end('held');
}

test('an idle connection serves the next request, and as many as are needed serve them at once', async () => {
  const { pool, get } = open(100);
  for (let i = 0; i < 20; i++) assert.deepEqual(await get('/'), [200, 'done']);
  // The text of an answer may be read before its connection is free again.
  assert.ok(connections <= 2, `${connections} connections`);
  const many = Promise.all(Array.from({ length: 10 }, () => get('/hold')));
  await answerHeld(10);
  assert.equal((await many).length, 10);
  assert.ok(connections <= 12, `${connections} connections`);
  await pool.close();
});

test('requests beyond the most connections wait in order, also when the pool is closed meanwhile', async () => {
  const { pool, get } = open(2);
  const order: number[] = [];
  const all = Promise.all(Array.from({ length: 6 }, (_, i) => get('/hold').then(() => order.push(i))));
  await answerHeld(2);
  const closed = pool.close();
  await answerHeld(2);
  await answerHeld(2);
  await Promise.all([all, closed]);
  assert.deepEqual(
    order.map((i) => i >> 1),
    [0, 0, 1, 1, 2, 2],
  );
  assert.equal(connections, 2);
  await assert.rejects(get('/'), /closed/);
});

test('a request that is refused before it is sent, and one that is given up, leave their connection usable', async () => {
  const { pool, get } = open(1);
  await assert.rejects(get('/', { 'x-bad': 'a\nb' }));
  assert.deepEqual(await get('/'), [200, 'done']);
  const abort = new AbortController();
  const given = assert.rejects(pool.request({ path: '/hold', method: 'GET', signal: abort.signal }));
  while (held.length < 1) await wait(1);
  abort.abort();
  await given;
  held.splice(0);
  assert.deepEqual(await get('/'), [200, 'done']);
  await assert.rejects(pool.request({ path: '/', method: 'GET', signal: AbortSignal.abort() }));
  assert.deepEqual(await get('/'), [200, 'done']);
  await pool.destroy();
});

test('a server that closes every connection, or is not there, is asked again over a new one', async () => {
  const { pool, get } = open(1);
  await get('/');
  server.closeAllConnections();
  await wait(20);
  assert.deepEqual(await get('/'), [200, 'done']);
  const nobody = new ConnectionPool(() => new Client('http://127.0.0.1:1'), 1);
  for (let i = 0; i < 3; i++) await assert.rejects(nobody.request({ path: '/', method: 'GET' }), /ECONNREFUSED/);
  await Promise.all([pool.destroy(), nobody.destroy()]);
});
