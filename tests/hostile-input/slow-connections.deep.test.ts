import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type HostilePlatform, rawRequest, startHostilePlatform } from './hostile-platform.ts';
import { openRawConnection } from './raw-connection.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

/** Writes `tail` letter by letter behind `head`, ten a second, until the server ends it. */
async function drip(head: string, tail: string) {
  const connection = openRawConnection(hostile.url);
  connection.write(head);
  let at = 0;
  const timer = setInterval(() => connection.write(tail[at++ % tail.length] as string), 100);
  const seen = await connection.read({ within: 90_000 });
  clearInterval(timer);
  return seen;
}

test('five hundred slow clients at once are each given up in the time that the platform allows', async () => {
  await hostile.leavesNothing(async () => {
    const body = rawRequest(hostile, 'POST /v1/keys', ['Content-Length: 5000']);
    const nobody = 'POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n';
    const kinds = [
      { head: 'GET /v1/me HTTP/1.1\r\nHost: x\r\n', tail: 'X-A: b\r\n', least: 9_900, most: 13_000 },
      { head: body, tail: ' ', least: 59_900, most: 63_500 },
      { head: nobody, tail: '', least: 2_900, most: 5_000 },
    ];
    const slow = kinds.flatMap(({ head, tail, least, most }) =>
      Array.from({ length: 166 }, async () => {
        const { milliseconds, closed } = await drip(head, tail || ' ');
        assert.equal(closed, true);
        assert.ok(milliseconds > least && milliseconds < most, `${head.split(' ')[0]} after ${milliseconds} ms`);
      }),
    );
    const started = performance.now();
    while (performance.now() - started < 5_000) {
      const asked = performance.now();
      assert.equal((await hostile.send('GET', '/v1/patterns/plain')).status, 200);
      assert.ok(performance.now() - asked < 1_000, 'a healthy client waited');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await Promise.all(slow);
  });
});
