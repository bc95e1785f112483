import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { createEgress, type EgressOptions } from './egress.ts';

const denied = { code: 'egress_denied', status: 422 };
const unavailable = { code: 'unavailable' };

function egressFor(t: TestContext, allow: string[] = [], more: Partial<EgressOptions> = {}) {
  const egress = createEgress({ allow, clock: systemClock, ...more });
  t.after(() => egress.close());
  return egress;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: TestContext, answer: Answer, host = '127.0.0.1') {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  const port = await listen(t, server, host);
  return { port, host: `${host}:${port}`, url: `http://${host}:${port}`, requests };
}

async function listen(t: TestContext, server: Server & { closeAllConnections?(): void }, host = '127.0.0.1') {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

const literals = [
  '127.0.0.1',
  '127.1',
  '0',
  '0x7f000001',
  '2130706433',
  '0177.0.0.1',
  '①②⑦.⓪.⓪.①',
  'localhost',
  'localhost.',
];
literals.push(
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::]',
);
literals.push(
  '[fd00::1]',
  '[fe80::1]',
  '169.254.169.254',
  '100.100.100.200',
  '100.64.0.1',
  '192.0.0.192',
  '198.18.0.1',
);
literals.push('224.0.0.1', '255.255.255.255', '127.0.0.1.', '[::127.0.0.1]', 'LOCALHOST', 'x.localhost', '0.0.0.0');

test('every spelling of an internal address is refused when it is saved and when it is called', async (t) => {
  const sink = await serve(t, (_, response) => response.end());
  const egress = egressFor(t);
  for (const literal of literals) {
    const url = `http://${literal}:${sink.port}/`;
    assert.throws(() => egress.check(url), denied, literal);
    await assert.rejects(egress.request(url), denied, literal);
    await assert.rejects(egress.download(url), denied, literal);
    assert.throws(() => egress.pool(url).dispatch({ path: '/', method: 'GET' }, {}), denied, literal);
  }
  assert.equal(sink.requests.length, 0);
  for (const url of ['https://api.openai.com/v1', 'http://1.1.1.1:8080', 'https://[2606:4700::1111]/'])
    egress.check(url);
});

test('other schemes, credentials in the address and closed ports are refused when saved', (t) => {
  const egress = egressFor(t);
  const urls = [
    'file:///etc/passwd',
    'gopher://x',
    'data:,x',
    'ftp://x',
    'ws://x',
    'unix:/run/x.sock',
    'javascript:1',
    'x',
    '',
  ];
  urls.push('http://user:pw@example.com', 'http://user@example.com', 'http:', '//example.com');
  for (const port of [22, 25, 5432, 6379, 5672, 15672, 9200]) urls.push(`http://example.com:${port}`);
  for (const url of urls)
    assert.throws(() => egress.check(url, '/base_url'), { ...denied, details: { pointer: '/base_url' } }, url);
  assert.throws(
    () => egress.pool('http://localhost', { socketPath: '/run/x.sock' }).dispatch({ path: '/', method: 'GET' }, {}),
    denied,
  );
  egressFor(t, ['example.com:5432']).check('http://example.com:5432');
});

test('a name that leads to an internal address is refused at the connection', async (t) => {
  const sink = await serve(t, (_, response) => response.end());
  const internal = [
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '169.254.169.254',
    'fd00::1',
    'fe80::1%lo',
    '10.0.0.1',
    '64:ff9b::7f00:1',
  ];
  for (const address of internal) {
    for (const others of [[], ['93.184.216.34'], ['2606:4700::1111']]) {
      const lookup = async () =>
        [...others, address].map((one) => ({ address: one, family: one.includes(':') ? 6 : 4 }));
      const egress = egressFor(t, [], { lookup });
      egress.check(`http://example.com:${sink.port}`);
      await assert.rejects(egress.request(`http://example.com:${sink.port}`), denied, address);
    }
  }
  assert.equal(sink.requests.length, 0);
});

test('a name that changes from a permitted address to an internal one is judged again', async (t) => {
  const first = await serve(t, (_, response) => response.setHeader('connection', 'close').end('first'), '127.0.0.2');
  const sink = createServer((_, response) => response.end('sink'));
  let sunk = 0;
  sink.on('connection', () => sunk++);
  sink.listen(first.port, '127.0.0.1');
  t.after(() => sink.close());
  const answers = ['127.0.0.2', '127.0.0.1'];
  const lookup = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
  const egress = egressFor(t, ['127.0.0.2'], { lookup });
  const url = `http://rebinding.test:${first.port}/`;
  assert.equal((await egress.request(url)).body.toString(), 'first');
  await assert.rejects(egress.request(url), denied);
  assert.equal(sunk, 0);
});

test('an empty list permits nothing internal, one CIDR permits exactly it', async (t) => {
  const server = await serve(t, (_, response) => response.end('ok'), '127.0.0.3');
  const egress = egressFor(t, ['127.0.0.3/32']);
  assert.equal((await egress.request(server.url)).body.toString(), 'ok');
  await assert.rejects(egress.request(`http://127.0.0.4:${server.port}`), denied);
  await assert.rejects(egressFor(t).request(server.url), denied);
  await assert.rejects(egressFor(t, [`127.0.0.3:${server.port + 1}`]).request(server.url), denied);
});

test('a trusted origin is called although it is internal, and only that one', async (t) => {
  const other = await serve(t, (_, response) => response.end());
  const server = await serve(t, (request, response) => {
    const location = request.url === '/away' ? other.url : '/here';
    if (request.url === '/here') response.end('ok');
    else response.writeHead(302, { location }).end();
  });
  const egress = egressFor(t);
  assert.equal((await egress.request(`${server.url}/start`, { trusted: true })).body.toString(), 'ok');
  await assert.rejects(egress.request(`${server.url}/away`, { trusted: true }), denied);
  await assert.rejects(egress.request(server.url), denied);
  assert.equal(other.requests.length, 0);
});

test('U-3: each redirect is judged', async (t) => {
  const sink = await serve(t, (_, response) => response.end());
  const targets = [
    sink.url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    'file:///etc/passwd',
    'gopher://x/',
    'data:,x',
    'http://',
  ];
  targets.push('http://169.254.169.254/latest', 'http://user:pw@127.0.0.9/', '//localhost/');
  let status = 302;
  const server = await serve(
    t,
    (request, response) => response.writeHead(status, { location: targets[Number(request.url?.slice(1))] }).end(),
    '127.0.0.9',
  );
  const egress = egressFor(t, ['127.0.0.9']);
  for (status of [301, 302, 303, 307, 308]) {
    for (let i = 0; i < targets.length; i++)
      await assert.rejects(egress.request(`${server.url}/${i}`), denied, targets[i]);
  }
  assert.equal(sink.requests.length, 0);
});

test('U-3: redirects are followed up to five times', async (t) => {
  const server = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead(301, { location: `/${left - 1}` }).end();
  });
  const egress = egressFor(t, [server.host]);
  const answer = await egress.request(`${server.url}/5`);
  assert.deepEqual([answer.body.toString(), answer.url], ['there', `${server.url}/0`]);
  for (const hops of [6, 11]) await assert.rejects(egress.request(`${server.url}/${hops}`), denied);
  assert.equal((await egress.request(`${server.url}/6`, { redirects: 0 })).status, 301);
});

test('U-3: keys and cookies stay behind when a redirect leaves the origin', async (t) => {
  const other = await serve(t, (_, response) => response.end());
  const server = await serve(t, (request, response) => {
    const location = request.url === '/away' ? other.url : '/away';
    response.writeHead(request.method === 'POST' ? 307 : 302, { location }).end();
  });
  const egress = egressFor(t, ['127.0.0.1']);
  const headers = { Authorization: 'Bearer secret', Cookie: 'a=b', 'X-Api-Key': 'secret', Accept: 'text/plain' };
  await egress.request(`${server.url}/start`, { headers });
  assert.equal(server.requests[1]?.headers.authorization, 'Bearer secret');
  const seen = other.requests[0]?.headers ?? {};
  assert.equal(seen.accept, 'text/plain');
  assert.ok(!JSON.stringify(seen).includes('secret') && seen.cookie === undefined);
  await assert.rejects(egress.request(`${server.url}/away`, { method: 'POST', body: 'secret' }), denied);
  assert.equal(other.requests.length, 1);
});

test('a redirect from POST by 303 becomes a GET without the body', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.method === 'POST') response.writeHead(303, { location: '/done' }).end();
    else response.end(`${request.method} ${request.headers['content-type'] ?? 'none'}`);
  });
  const answer = await egressFor(t, [server.host]).request(server.url, {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(answer.body.toString(), 'GET none');
});

test('a body without end, a slow one and a silent server are cut off by bytes and by time', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/silent') return;
    const timer = setInterval(() => response.write(Buffer.alloc(request.url === '/slow' ? 1 : 65_536)), 1);
    response.on('close', () => clearInterval(timer));
  });
  const egress = egressFor(t, [server.host]);
  await assert.rejects(egress.request(`${server.url}/fast`, { maxBytes: 500_000 }), /more than the 500000 bytes/);
  await assert.rejects(egress.request(`${server.url}/slow`, { totalMs: 100 }), /within 100 ms/);
  await assert.rejects(egress.request(`${server.url}/silent`, { totalMs: 100 }), unavailable);
  const stop = AbortSignal.timeout(50);
  await assert.rejects(egress.request(`${server.url}/silent`, { signal: stop }), (error) => error === stop.reason);
});

test('a huge header, garbage, a flood of 1xx and a broken connection are errors of the other side', async (t) => {
  let answer = '';
  const server = createTcp((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.end(answer));
  });
  const host = `127.0.0.1:${await listen(t, server)}`;
  const egress = egressFor(t, [host]);
  const answers = [
    `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1_000_000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(200_000)}\r\n`,
  ];
  answers.push(
    'garbage\r\n\r\n',
    '',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort',
    'HTTP/1.1 102 Processing\r\n\r\n'.repeat(10_000),
  );
  for (answer of answers)
    await assert.rejects(egress.request(`http://${host}/`, { totalMs: 3000 }), unavailable, answer.slice(0, 40));
  server.close();
  await assert.rejects(egress.request('http://127.0.0.1:1/', { trusted: true }), /ECONNREFUSED/);
});

test('a download arrives in pieces with its length, and leaving it closes the connection', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/endless') {
      const timer = setInterval(() => response.write('x'.repeat(1000)), 1);
      response.on('close', () => clearInterval(timer));
    } else response.setHeader('content-length', 300_000).end(Buffer.alloc(300_000));
  });
  const egress = egressFor(t, [server.host]);
  const { total, chunks } = await egress.download(server.url);
  let received = 0;
  for await (const chunk of chunks) received += chunk.length;
  assert.deepEqual([total, received], [300_000, 300_000]);
  await assert.rejects(egress.download(`${server.url}/missing`), /404/);
  const endless = await egress.download(`${server.url}/endless`);
  assert.equal(endless.total, null);
  const request = server.requests.at(-1) as IncomingMessage;
  for await (const _ of endless.chunks) break;
  await once(request.socket, 'close');
  const control = new AbortController();
  const aborted = await egress.download(`${server.url}/endless`, { signal: control.signal });
  await assert.rejects(async () => {
    for await (const _ of aborted.chunks) control.abort(new Error('enough'));
  }, /enough/);
});

test('a pool keeps connections, reaches a trusted unix socket and outlives its retirement', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'damask-egress-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 's');
  const local = createServer((_, response) => response.end('socket')).listen(path);
  t.after(() => local.close());
  const servers = await Promise.all([1, 2, 3].map((n) => serve(t, (_, response) => response.end(String(n)))));
  const egress = egressFor(t, ['127.0.0.1'], { limits: { origins: 1 } });
  const pools = servers.map(({ url }) => egress.pool(url));
  const texts: string[] = [];
  for (const pool of [...pools, ...pools]) texts.push(await bodyOf(pool));
  assert.deepEqual(texts, ['1', '2', '3', '1', '2', '3']);
  const socket = egress.pool('http://localhost', { trusted: true, socketPath: path });
  assert.equal(await bodyOf(socket), 'socket');
  for (let i = 0; i < 2; i++) {
    await bodyOf(pools[0]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [one, two] = servers[0]?.requests.slice(-2) ?? [];
  assert.ok(one?.socket === two?.socket);
});

function bodyOf(pool: ReturnType<ReturnType<typeof createEgress>['pool']> | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    pool?.dispatch(
      { path: '/', method: 'GET' },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData: (_, chunk) => {
          text += chunk;
        },
        onResponseEnd: () => resolve(text),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
}
