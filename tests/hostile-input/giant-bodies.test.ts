import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HostilePlatform, rawRequest, startHostilePlatform } from './hostile-platform.ts';
import { openRawConnection } from './raw-connection.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const gigabyte = 2 ** 30;
const piece = Buffer.alloc(256 * 1024, ' ');
const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);

/** Sends pieces until the server ends it or a gigabyte is through. Answers what came back and how much memory it took. */
async function pour(line: string, framing: string, part: Buffer) {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  const connection = openRawConnection(hostile.url);
  const answered = connection.read({ within: 20_000 });
  connection.write(rawRequest(hostile, line, [framing]));
  let sent = 0;
  while (sent < gigabyte && !connection.socket.destroyed) {
    sent += part.length;
    if (connection.socket.write(part)) continue;
    const drained = new Promise((resolve) => connection.socket.once('drain', resolve));
    await Promise.race([drained, answered, sleep(5_000)]);
  }
  const { replies, closed } = await answered;
  clearInterval(watch);
  return { replies, closed, sent, grown: most - before };
}

for (const [name, line, framing, part] of [
  ['declared', 'POST /v1/keys', `Content-Length: ${gigabyte}`, piece],
  ['in chunks', 'POST /v1/runs', 'Transfer-Encoding: chunked', chunk],
] as const) {
  test(`a body of a gigabyte, ${name}, ends in 413 and is never held in memory`, async (t) => {
    await hostile.leavesNothing(async () => {
      const { replies, closed, sent, grown } = await pour(line, framing, part);
      t.diagnostic(`${Math.round(sent / 2 ** 20)} MiB sent, memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
      assert.equal(`${replies[0]?.status} ${replies[0]?.body.code}`, '413 too_large');
      assert.ok(closed || sent >= gigabyte);
      assert.ok(grown < 50 * 2 ** 20, `memory grew by ${grown} bytes`);
    });
  });
}

test('a client that reads only after it has sent everything sees the refusal, and can go on', async () => {
  await hostile.leavesNothing(async () => {
    for (const [line, status] of [
      ['POST /v1/keys', 413],
      ['POST /v1/nothing', 404],
    ] as const) {
      const connection = openRawConnection(hostile.url);
      connection.socket.pause();
      connection.write(rawRequest(hostile, line, [`Content-Length: ${80 * piece.length}`]));
      for (let i = 0; i < 80; i++) {
        if (!connection.socket.write(piece)) await new Promise((resolve) => connection.socket.once('drain', resolve));
      }
      connection.write(rawRequest(hostile, 'GET /v1/me'));
      connection.socket.resume();
      const { replies } = await connection.read({ count: 2 });
      assert.deepEqual(
        replies.map((reply) => reply.status),
        [status, 200],
      );
    }
  });
});

test('a caller without a key is refused before any of the body is read', async () => {
  await hostile.leavesNothing(async () => {
    const connection = openRawConnection(hostile.url);
    connection.write(
      `POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${gigabyte}\r\n\r\n`,
    );
    const { replies } = await connection.read({ count: 1 });
    assert.equal(replies[0]?.status, 401);
  });
});

test('who asks before sending is told before sending', async () => {
  await hostile.leavesNothing(async () => {
    const connection = openRawConnection(hostile.url);
    const framing = [`Content-Length: ${gigabyte}`, 'Expect: 100-continue'];
    connection.write(rawRequest(hostile, 'POST /v1/runs', framing));
    const { replies } = await connection.read({ within: 5_000 });
    assert.deepEqual(
      replies.map((reply) => reply.status),
      [413],
    );
  });
});
