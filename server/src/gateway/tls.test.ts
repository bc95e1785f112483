import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { type Listener, listen } from './listen.ts';
import { readTlsFiles, tlsFilesOf, watchTlsFiles } from './tls-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'damask-tls-'));
const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
const patience = { headers: 800, request: 1_000 };
const logged: Record<string, unknown>[] = [];
const log = createLog({
  level: 'info',
  clock: systemClock,
  redact: createRedact(),
  write: (line) => void logged.push(JSON.parse(line)),
});

function makePair(name: string, days = 30) {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)];
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

let platform: TestPlatform;
let listener: Listener;
let first: { cert: string; key: string };
let second: { cert: string; key: string };
before(async () => {
  first = makePair('first');
  second = makePair('second');
  copyFileSync(first.cert, files.certificate);
  copyFileSync(first.key, files.key);
  platform = await startTestPlatform({ environment: { DAMASK_CORS_ORIGINS: 'https://app.example.com' } });
  listener = await listen({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    maxConnections: 100,
    patience,
    tls: await readTlsFiles(files),
    handle: (request, response) => platform.gateway.dispatch.handle(request, response),
  });
});
after(async () => {
  await listener.drain(500);
  await platform.stop();
  rmSync(folder, { recursive: true, force: true });
});

const port = () => Number(new URL(listener.url).port);
const authority = () => ({ ca: readFileSync(files.certificate) });

function open(): ClientHttp2Session {
  const client = connectHttp2(listener.url, authority());
  client.on('error', () => undefined);
  return client;
}

async function send(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string) {
  const stream = client.request({ authorization: `Bearer ${platform.alpha.ownerKey}`, ...headers });
  stream.on('error', () => undefined);
  if (body !== undefined) stream.end(body);
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const [answer] = (await once(stream, 'response')) as [Record<string, string | number | undefined>];
  await once(stream, 'close');
  return { status: answer[':status'], headers: answer, text };
}

async function handshake(options: object): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: port(),
    ca: [first, second].map(({ cert }) => readFileSync(cert)),
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

test('TLS 1.3 is spoken, and nothing older', async () => {
  const socket = await handshake({});
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  await assert.rejects(handshake({ maxVersion: 'TLSv1.2' }), /protocol version|alert/i);
});

test('HTTP/1.1 and HTTP/2 get the same answers over TLS, with the order to come back by TLS only', async () => {
  const old = await new Promise<{ status: number | undefined; headers: Record<string, unknown>; text: string }>(
    (resolve) => {
      const headers = { authorization: `Bearer ${platform.alpha.ownerKey}` };
      get(`${listener.url}/v1/me`, { ...authority(), headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
      });
    },
  );
  const client = open();
  const answer = await send(client, { ':path': '/v1/me' });
  assert.deepEqual([answer.status, answer.text], [old.status, old.text]);
  assert.equal(answer.status, 200);
  for (const { headers } of [old, answer]) {
    assert.match(String(headers['strict-transport-security']), /^max-age=\d{8}/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  client.close();
});

test('over HTTP/2 bodies, problems, conditions, doubled headers and unknown addresses fare as over HTTP/1.1', async () => {
  const client = open();
  const post = { ':method': 'POST', 'content-type': 'application/json' };
  const made = await send(client, { ...post, ':path': '/v1/keys' }, '{"name":"by http2","role":"viewer"}');
  assert.equal(made.status, 201);
  const wrong = await send(client, { ...post, ':path': '/v1/keys' }, '{"name":');
  assert.deepEqual([wrong.status, JSON.parse(wrong.text).code], [400, 'invalid_request']);
  const read = await send(client, { ':path': '/v1/patterns/summarize' });
  const again = await send(client, { ':path': '/v1/patterns/summarize', 'if-none-match': String(read.headers.etag) });
  assert.deepEqual([read.status, again.status, again.text], [200, 304, '']);
  const doubled = await send(client, { ':path': '/v1/me', 'damask-deadline': ['1000', '2000'] });
  assert.equal(doubled.status, 400);
  assert.equal((await send(client, { ':path': '/v1/nothing' })).status, 404);
  assert.equal((await send(client, { ':path': '/v1/me', authorization: 'Bearer dmk_wrong' })).status, 401);
  const cross = await send(client, { ':path': '/v1/me', origin: 'https://app.example.com' });
  assert.equal(cross.headers['access-control-allow-origin'], 'https://app.example.com');
  assert.equal((await send(client, { ':path': '/v1/me', 'x-long': 'x'.repeat(20_000) })).status, 431);
  client.close();
});

test('over HTTP/2 a slow body is given up in time while others on the connection go on', async () => {
  const client = open();
  const slow = client.request({
    ':method': 'POST',
    ':path': '/v1/keys',
    authorization: `Bearer ${platform.alpha.ownerKey}`,
    'content-type': 'application/json',
  });
  slow.on('error', () => undefined);
  slow.resume();
  const drip = setInterval(() => slow.destroyed || slow.closed || slow.write(' '), 100);
  let status: unknown;
  slow.on('response', (headers) => {
    status = headers[':status'];
  });
  // Not its close: node's client waits for a write that nobody takes any more when the stream ends between two of them.
  const ended = once(slow, 'end');
  assert.equal((await send(client, { ':path': '/v1/me' })).status, 200);
  await ended;
  clearInterval(drip);
  slow.destroy();
  assert.equal(status, 408);
  assert.equal((await send(client, { ':path': '/v1/me' })).status, 200);
  client.close();
});

test('over HTTP/2 who cancels has left for the service too, and who took the answer has not', async () => {
  const finished: boolean[] = [];
  const own = await listen({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    maxConnections: 10,
    tls: await readTlsFiles(files),
    handle: (request, response) => {
      response.once('close', () => finished.push(response.writableFinished));
      if (request.url === '/stream') response.write('first');
      else if (request.url === '/whole') response.end('all of it');
    },
  });
  const client = connectHttp2(own.url, authority());
  for (const path of ['/whole', '/stream', '/nothing']) {
    const stream = client.request({ ':path': path });
    stream.on('error', () => undefined);
    if (path === '/nothing') await systemClock.sleep(50);
    else await once(stream, 'data');
    const closed = once(stream, 'close');
    if (path !== '/whole') stream.close(8);
    stream.resume();
    await closed;
  }
  client.destroy();
  await own.drain(500);
  assert.deepEqual(finished, [true, false, false]);
});

test('a client of HTTP/2 that opens and resets streams without end is cut off', async () => {
  const client = open();
  await once(client, 'connect');
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  let sent = 0;
  for (; sent < 3_000 && !client.destroyed; sent++) {
    const stream = client.request({ ':path': '/livez' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    stream.close(8);
  }
  assert.ok(sent < 3_000);
  await closed;
  const next = open();
  assert.equal((await send(next, { ':path': '/livez' })).status, 200);
  next.close();
});

test('a handshake that does not come is not waited for', async () => {
  const { connect: connectPlain } = await import('node:net');
  const socket = connectPlain(port(), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'close');
});

test('a new certificate is served without a restart, and half of one is not', async () => {
  const used: unknown[] = [];
  const watch = watchTlsFiles({
    files,
    clock: systemClock,
    log,
    use: (pair) => {
      used.push(pair);
      listener.useCertificate(pair);
    },
  });
  try {
    const nameServed = async () => {
      const socket = await handshake({});
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    const held = open();
    assert.equal((await send(held, { ':path': '/livez' })).status, 200);
    await watch.look();
    assert.equal(await nameServed(), 'first');
    copyFileSync(second.cert, files.certificate);
    await watch.look();
    await watch.look();
    assert.deepEqual([await nameServed(), used.length], ['first', 0]);
    assert.equal(logged.filter(({ level }) => level === 'error').length, 1);
    copyFileSync(second.key, files.key);
    await watch.look();
    assert.deepEqual([await nameServed(), used.length], ['second', 1]);
    await assert.rejects(handshake({ maxVersion: 'TLSv1.2' }));
    // Who is connected stays so.
    assert.equal((await send(held, { ':path': '/livez' })).status, 200);
    held.close();
  } finally {
    watch.stop();
  }
});

test('a pair that cannot be served is refused at the start, with the way out', async () => {
  assert.throws(() => tlsFilesOf('a', undefined), /belong together/);
  await assert.rejects(readTlsFiles({ certificate: join(folder, 'none'), key: files.key }), /cannot be read/);
  await assert.rejects(readTlsFiles({ certificate: first.cert, key: second.key }), /not the key of/);
  const empty = join(folder, 'empty');
  writeFileSync(empty, '');
  await assert.rejects(readTlsFiles({ certificate: empty, key: first.key }), /does not hold a certificate/);
});
