import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBodyBudget } from '../../server/src/gateway/body-budget.ts';
import { type Listener, listen } from '../../server/src/gateway/listen.ts';
import { readBody } from '../../server/src/gateway/read-body.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import { openRawConnection } from './raw-connection.ts';

const bodies = createBodyBudget(100_000);
const patience = { headers: 600, request: 1_200 };
let listener: Listener;
before(async () => {
  listener = await listen({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    maxConnections: 100,
    patience,
    handle: (request, response) =>
      void readBody(request, 1_000, bodies.open()).then(
        (body) => response.end(body),
        () => response.destroy(),
      ),
  });
});
after(() => listener.drain(0));

/** Writes one character after the other, for longer than the server waits. */
function drip(head: string, tail: string) {
  const connection = openRawConnection(listener.url);
  connection.write(head);
  let at = 0;
  const timer = setInterval(() => {
    if (connection.socket.destroyed) clearInterval(timer);
    else connection.write(tail[at++ % tail.length] as string);
  }, 100);
  return connection.read({ within: 6_000 }).finally(() => clearInterval(timer));
}

for (const [name, head, tail, limit] of [
  ['headers', 'GET / HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n', patience.headers],
  ['a first line', 'GET /', 'aaaaaaaaaa', patience.headers],
  ['a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n', ' ', patience.request],
  ['chunks', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\n \r\n', patience.request],
] as const) {
  test(`${name} that come letter by letter are given up in time`, async () => {
    const { replies, closed, milliseconds } = await drip(head, tail);
    assert.equal(closed, true);
    assert.ok(milliseconds > limit - 100 && milliseconds < limit + 1_500, `after ${milliseconds} ms`);
    // While a body is awaited, an answer could already be under way, so that the connection may just end.
    if (limit === patience.headers) assert.equal(replies[0]?.body.code, 'request_timeout');
  });
}

test('a client that is waited for does not make others wait', async () => {
  const slow = drip('GET /', 'a');
  const started = performance.now();
  const connection = openRawConnection(listener.url);
  connection.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
  const { replies } = await connection.read({ count: 1 });
  assert.equal(replies[0]?.status, 200);
  assert.ok(performance.now() - started < 500);
  await slow;
});
