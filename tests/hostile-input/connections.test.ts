import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultOfRefusal, type HostilePlatform, rawRequest, startHostilePlatform } from './hostile-platform.ts';
import { exchange, openRawConnection, type RawExchange } from './raw-connection.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const refused = { status: 400, code: 'invalid_request' };
const close = 'Connection: close';

function expectOne({ replies, closed }: RawExchange, expected: { status: number; code: string }, name: string) {
  assert.equal(replies.length, 1, `${name}: ${replies.length} answers`);
  const [reply = { status: 0, body: undefined }] = replies;
  assert.equal(faultOfRefusal(reply, expected), undefined, name);
  assert.equal(closed, true, `${name}: the connection stays open`);
}

/** A request to make a key, as an attacker would write it, and a second one hidden behind it. */
function smuggle(framing: readonly string[], body: string): string {
  const hidden = rawRequest(hostile, 'DELETE /v1/patterns/plain', [close]);
  return rawRequest(hostile, 'POST /v1/keys', framing, body) + hidden;
}

test('a request with two lengths, or an unclear one, is one refused request, and nothing behind it is read', async (t) => {
  const make = '{"name":"smuggled","role":"viewer"}';
  const chunk = `${make.length.toString(16)}\r\n${make}\r\n0\r\n\r\n`;
  const length = `Content-Length: ${make.length}`;
  const cases: readonly (readonly [name: string, framing: string[], body: string])[] = [
    ['CL.TE', [length, 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 4'], chunk],
    ['TE.TE', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], chunk],
    ['TE twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', length], chunk],
    ['TE unknown', ['Transfer-Encoding: xchunked'], chunk],
    ['TE with a space', ['Transfer-Encoding : chunked'], chunk],
    ['TE with a tab', ['Transfer-Encoding:\tchunked', length], chunk],
    ['TE folded', ['Transfer-Encoding:\r\n chunked'], chunk],
    ['TE with a vertical tab', ['Transfer-Encoding: \x0bchunked'], chunk],
    ['TE with NUL', ['Transfer-Encoding: chunked\0'], chunk],
    ['TE identity', ['Transfer-Encoding: identity'], make],
    ['TE not last', ['Transfer-Encoding: chunked, identity'], chunk],
    ['TE in quotes', ['Transfer-Encoding: "chunked"'], chunk],
    ['two lengths', [length, 'Content-Length: 0'], make],
    ['one length twice', [length, length], make],
    ['lengths in a list', [`Content-Length: ${make.length}, ${make.length}`], make],
    ['a length with a plus', [`Content-Length: +${make.length}`], make],
    ['a negative length', ['Content-Length: -1'], make],
    ['a hexadecimal length', [`Content-Length: 0x${make.length.toString(16)}`], make],
    ['a length with a fraction', [`Content-Length: ${make.length}.0`], make],
    ['no length', ['Content-Length: '], make],
    ['a length beyond 64 bits', ['Content-Length: 99999999999999999999'], make],
    ['a chunk of no size', ['Transfer-Encoding: chunked'], `zz\r\n${make}\r\n0\r\n\r\n`],
    ['a chunk of too much', ['Transfer-Encoding: chunked'], `ffffffffffffffffff\r\n${make}\r\n0\r\n\r\n`],
    ['a negative chunk', ['Transfer-Encoding: chunked'], `-1\r\n${make}\r\n0\r\n\r\n`],
    ['chunks with bare line feeds', ['Transfer-Encoding: chunked'], chunk.replaceAll('\r\n', '\n')],
    ['a chunk longer than it says', ['Transfer-Encoding: chunked'], `2\r\n${make}\r\n0\r\n\r\n`],
    ['an endless chunk extension', ['Transfer-Encoding: chunked'], `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
  ];
  await hostile.leavesNothing(async () => {
    for (const [name, framing, body] of cases) {
      const seen = await exchange(hostile.url, smuggle(framing, body), { within: 4_000 });
      const tooMuch = name.startsWith('an endless') && seen.replies[0]?.status === 413;
      if (!tooMuch) expectOne(seen, refused, name);
    }
  });
  t.diagnostic(`${cases.length} cases`);
});

test('bytes that are no request of HTTP/1.1 are refused once, and the connection ends', async (t) => {
  const head = `Host: x\r\nAuthorization: Bearer ${hostile.key}\r\n\r\n`;
  const cases: readonly (readonly [name: string, bytes: string | Uint8Array])[] = [
    ['a greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', `FOO /v1/me HTTP/1.1\r\n${head}`],
    ['a method in lower case', `get /v1/me HTTP/1.1\r\n${head}`],
    ['HTTP/0.9', 'GET /v1/me\r\n\r\n'],
    ['HTTP/9.9', `GET /v1/me HTTP/9.9\r\n${head}`],
    ['another protocol', `GET /v1/me ICY/1.1\r\n${head}`],
    ['bare line feeds', `GET /v1/me HTTP/1.1\r\n${head}`.replaceAll('\r\n', '\n')],
    ['a space in the address', `GET /v1/patterns/a b HTTP/1.1\r\n${head}`],
    ['NUL in the address', `GET /v1/patterns/a\0b HTTP/1.1\r\n${head}`],
    ['a raw byte in the address', `GET /v1/patterns/\xe9 HTTP/1.1\r\n${head}`],
    ['a tab in the address', `GET /v1/patterns/a\tb HTTP/1.1\r\n${head}`],
    ['NUL in a header', `GET /v1/me HTTP/1.1\r\nX: a\0b\r\n${head}`],
    ['a carriage return in a header', `GET /v1/me HTTP/1.1\r\nX: a\rb\r\n${head}`],
    ['a folded header', `GET /v1/me HTTP/1.1\r\nX: a\r\n b\r\n${head}`],
    ['a header without a name', `GET /v1/me HTTP/1.1\r\n: a\r\n${head}`],
    ['a header with a space before the colon', `GET /v1/me HTTP/1.1\r\nX : a\r\n${head}`],
    ['a header without a colon', `GET /v1/me HTTP/1.1\r\nnothing\r\n${head}`],
    ['no Host', `GET /v1/me HTTP/1.1\r\nAuthorization: Bearer ${hostile.key}\r\n\r\n`],
    ['two Hosts', `GET /v1/me HTTP/1.1\r\nHost: y\r\n${head}`],
    ['an expectation of something else', `GET /v1/me HTTP/1.1\r\nExpect: the-unexpected\r\n${head}`],
    ['a tunnel', `CONNECT localhost:22 HTTP/1.1\r\n${head}`],
    ['noise', Uint8Array.from({ length: 2_000 }, (_, i) => (i * 7_919) % 251)],
  ];
  await hostile.leavesNothing(async () => {
    for (const [name, bytes] of cases) {
      expectOne(await exchange(hostile.url, bytes, { within: 4_000 }), refused, name);
    }
  });
  t.diagnostic(`${cases.length} cases`);
});

test('headers and addresses beyond 16 KiB are refused before anything is looked at', async () => {
  const tooLarge = { status: 431, code: 'headers_too_large' };
  await hostile.leavesNothing(async () => {
    for (const [name, headers, path] of [
      ['ten thousand headers', Array.from({ length: 10_000 }, (_, i) => `X-${i}: x`), '/v1/me'],
      ['thousands of empty ones', Array.from({ length: 4_500 }, () => 'a:'), '/v1/me'],
      ['one long header', [`X: ${'a'.repeat(17_000)}`], '/v1/me'],
      ['a megabyte', [`X: ${'a'.repeat(1_000_000)}`], '/v1/me'],
      ['a long address', [], `/v1/patterns/${'a'.repeat(17_000)}`],
      ['a long query', [], `/v1/patterns?search=${'a'.repeat(17_000)}`],
    ] as const) {
      const bytes = rawRequest(hostile, `GET ${path}`, headers);
      expectOne(await exchange(hostile.url, bytes, { within: 4_000 }), tooLarge, name);
    }
  });
});

test('credentials count only where they belong', async () => {
  const line = 'GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
  const bearer = `Bearer ${hostile.key}`;
  await hostile.leavesNothing(async () => {
    for (const [name, bytes, status] of [
      [
        'in a trailer',
        `POST /v1/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: ${bearer}\r\n\r\n`,
        401,
      ],
      ['in a cookie', `${line}Cookie: authorization=${bearer}\r\n\r\n`, 401],
      ['as a proxy credential', `${line}Proxy-Authorization: ${bearer}\r\n\r\n`, 401],
      ['in a forwarded header', `${line}X-Forwarded-Authorization: ${bearer}\r\n\r\n`, 401],
      ['with an underscore', `${line}Authorization_: ${bearer}\r\n\r\n`, 401],
      ['twice the same', `${line}Authorization: ${bearer}\r\nauthorization: ${bearer}\r\n\r\n`, 400],
      ['behind many others', `${line}${'a:\r\n'.repeat(600)}Authorization: ${bearer}\r\n\r\n`, 200],
      [
        'twice behind many others',
        `${line}Authorization: ${bearer}\r\n${'a:\r\n'.repeat(600)}Authorization: ${bearer}\r\n\r\n`,
        400,
      ],
    ] as const) {
      const { replies } = await exchange(hostile.url, bytes, { within: 4_000 });
      assert.equal(replies.length, 1, name);
      assert.equal(replies[0]?.status, status, name);
    }
  });
});

test('an offer of another protocol is passed over, and the request is answered', async () => {
  for (const offer of [
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'],
    [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ],
  ]) {
    const { replies } = await exchange(hostile.url, rawRequest(hostile, 'GET /v1/me', offer), { count: 1 });
    assert.equal(replies[0]?.status, 200, offer[1]);
  }
});

test('requests that come without waiting are answered in their order', async () => {
  const names = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 'plain' : `nothing_${i}`));
  const bytes = names.map((name) => rawRequest(hostile, `GET /v1/patterns/${name}`)).join('');
  const { replies } = await exchange(hostile.url, bytes, { count: names.length });
  assert.deepEqual(
    replies.map((reply) => reply.status),
    names.map((name) => (name === 'plain' ? 200 : 404)),
  );
});

test('broken bytes behind a request are never answered in its place', async () => {
  await hostile.leavesNothing(async () => {
    for (let i = 0; i < 10; i++) {
      const { replies, closed } = await exchange(
        hostile.url,
        `${rawRequest(hostile, 'GET /v1/patterns/plain')}BROKEN\r\n\r\n`,
        { within: 4_000 },
      );
      assert.notEqual(replies[0]?.status, 400);
      assert.equal(closed, true);
    }
  });
});

test('broken bytes after an answer on the same connection are told to be broken', async () => {
  const connection = openRawConnection(hostile.url);
  connection.write(rawRequest(hostile, 'GET /v1/patterns/plain'));
  await new Promise((resolve) => connection.socket.once('data', resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  connection.write('BROKEN\r\n\r\n');
  const { replies, closed } = await connection.read({ within: 4_000 });
  assert.deepEqual(
    replies.map((reply) => reply.status),
    [200, 400],
  );
  assert.equal(closed, true);
});

test('a client that leaves in the middle of a body leaves nothing behind', async () => {
  await hostile.leavesNothing(async () => {
    const body = JSON.stringify({ name: 'half', role: 'viewer' });
    for (const framing of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
      const connection = openRawConnection(hostile.url);
      const sent = framing.startsWith('T') ? `${body.length.toString(16)}\r\n${body}\r\n` : body.slice(0, -1);
      connection.write(rawRequest(hostile, 'POST /v1/keys', [framing], sent));
      await new Promise((resolve) => setTimeout(resolve, 100));
      connection.socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
});

test('five hundred connections that say nothing hurt nobody', async () => {
  const idle = Array.from({ length: 500 }, () => openRawConnection(hostile.url));
  await Promise.all(idle.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
  const started = performance.now();
  assert.equal((await hostile.send('GET', '/v1/patterns/plain')).status, 200);
  assert.ok(performance.now() - started < 2_000);
  for (const { socket } of idle) socket.destroy();
});
