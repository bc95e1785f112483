import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { createEgress, type Egress } from './egress.ts';
import { createEgressFetch } from './egress-fetch.ts';

const server = createServer(async (request, response) => {
  if (request.url === '/away') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  else if (request.url === '/large') response.end('x'.repeat(2_000));
  else response.end(JSON.stringify([request.method, request.headers['x-a'], await text(request)]));
});
let origin: string;
let egress: Egress;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  egress = createEgress({ allow: [origin.slice('http://'.length)], clock: systemClock });
});

after(async () => {
  await egress.close();
  server.close();
});

const limits = { totalMs: 5_000, maxBytes: 1_000 };

test('a library sends its form and reads the answer', async () => {
  const answer = await createEgressFetch(egress, limits)(`${origin}/x`, {
    method: 'POST',
    headers: new Headers({ 'x-a': 'b' }),
    body: new URLSearchParams({ code: 'c d' }),
  });
  assert.deepEqual(await answer.json(), ['POST', 'b', 'code=c+d']);
});

test('a redirect is an answer, and nobody goes there', async () => {
  const answer = await createEgressFetch(egress, limits)(`${origin}/away`);
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), 'http://127.0.0.1:1/');
});

test('what is too large, or not allowed, is not read', async () => {
  const send = createEgressFetch(egress, limits);
  await assert.rejects(send(`${origin}/large`), { code: 'unavailable' });
  await assert.rejects(send('http://127.0.0.1:1/'), { code: 'egress_denied' });
});
