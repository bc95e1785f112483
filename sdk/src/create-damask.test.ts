import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishedRun, runId, sendJson, sendProblem, sseFrame, startScriptedServer } from '../test/scripted-server.ts';
import { createDamask, DamaskError, operations, type RunEvent } from './index.ts';

const never: never[] = [];
const isDamaskError = (expected: Partial<DamaskError>) => (error: unknown) => {
  assert.ok(error instanceof DamaskError, String(error));
  for (const [key, value] of Object.entries(expected)) assert.deepEqual(error[key as keyof DamaskError], value, key);
  return true;
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('fields go to the path, the query or the body as the contract says', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, { items: never }));
  const damask = createDamask({ url: `${server.url}/`, apiKey: 'dmk_test' });
  await damask.patterns.list({ search: 'a & b', limit: 5, tag: undefined });
  await damask.patterns.setLabel({ pattern: 'summarize', label: 'stable', version: 2 });
  await damask.patterns.removeLabel({ pattern: 'a/b', label: 'stable' });
  await damask.runs.cancel({ run: runId });
  assert.deepEqual(
    server.seen.map(({ method, url, body }) => [method, url, body]),
    [
      ['GET', '/v1/patterns?search=a+%26+b&limit=5', ''],
      ['PUT', '/v1/patterns/summarize/labels/stable', '{"version":2}'],
      ['DELETE', '/v1/patterns/a%2Fb/labels/stable', ''],
      ['POST', `/v1/runs/${runId}/cancel`, ''],
    ],
  );
  assert.equal(server.seen[0]?.headers.authorization, 'Bearer dmk_test');
  assert.equal(server.seen[1]?.headers['content-type'], 'application/json');
});

test('a name that would leave its place in the address is refused before anything is sent', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, {}));
  const damask = createDamask({ url: server.url });
  for (const pattern of ['', '.', '..', '\ud800']) {
    const expected = { code: 'invalid_request', status: 400, pointer: '/pattern' };
    await assert.rejects(damask.patterns.delete({ pattern }), isDamaskError(expected));
  }
  assert.equal(server.seen.length, 0);
});

test('every operation is reachable through a noun', async () => {
  const reached = new Set<string>();
  const damask = createDamask({
    url: 'http://127.0.0.1:1',
    retries: 0,
    fetch: async (url, { method }) => {
      reached.add(`${method} ${new URL(url).pathname}`);
      throw new Error('nothing is sent in this test');
    },
  });
  const fields = Object.fromEntries(
    'pattern version label strategy context session provider key run batch budget timer member invitation custom_role service_account team login_session passkey identity_provider login user_code hold erasure'
      .split(' ')
      .map((name) => [name, `{${name}}`]),
  );
  const { call: _, ...nouns } = damask;
  const functions = Object.values(nouns).flatMap((part) => (typeof part === 'function' ? [part] : Object.values(part)));
  for (const one of functions as ((input: object) => unknown)[]) {
    const result = one(fields);
    const done =
      Symbol.asyncIterator in Object(result) ? (result as AsyncGenerator).next() : (result as Promise<unknown>);
    await done.catch(() => undefined);
  }
  const expected = Object.values(operations).map(({ method, path }) => `${method} ${encodeURI(path)}`);
  assert.deepEqual([...reached].sort(), [...new Set(expected)].sort());
});

test('a problem becomes a DamaskError with everything that it says', async () => {
  const more = {
    pointer: '/variables/tone',
    need: 'run:execute',
    run_id: runId,
    problems: [{ pointer: '/a', detail: 'b' }],
  };
  await using server = await startScriptedServer((_, response) =>
    sendProblem(response, 403, 'forbidden', more, { 'retry-after': '7' }),
  );
  await assert.rejects(
    createDamask({ url: server.url }).runs.create({ pattern: 'summarize', input: 'x' }),
    isDamaskError({
      code: 'forbidden',
      status: 403,
      detail: 'About forbidden.',
      message: 'About forbidden.',
      pointer: '/variables/tone',
      need: 'run:execute',
      requestId: 'req-1',
      runId,
      retryAfter: 7,
      problems: [{ pointer: '/a', detail: 'b' }],
    }),
  );
});

test('an answer that is not of Damask is named as such', async () => {
  await using server = await startScriptedServer((_, response) => response.writeHead(502).end('<html>proxy</html>'));
  const damask = createDamask({ url: server.url });
  await assert.rejects(damask.me(), isDamaskError({ code: 'unexpected_response', status: 502 }));
  server.script((_, response) => response.writeHead(302, { location: 'http://example.com/' }).end());
  await assert.rejects(damask.me(), isDamaskError({ code: 'unexpected_response', status: 302 }));
  server.script((_, response) => response.writeHead(200).end('hello'));
  await assert.rejects(damask.me(), isDamaskError({ code: 'unexpected_response' }));
  await assert.rejects(
    collect(damask.runs.stream({ pattern: 'a', input: '' })),
    isDamaskError({ code: 'unexpected_response' }),
  );
});

test('a read is sent again when the server asks to wait, a run never', async () => {
  await using server = await startScriptedServer((_, response) =>
    sendProblem(response, 503, 'overloaded', {}, { 'retry-after': '0' }),
  );
  const damask = createDamask({ url: server.url });
  await assert.rejects(damask.models.list(), isDamaskError({ code: 'overloaded', retryAfter: 0 }));
  assert.equal(server.seen.length, 3);
  await assert.rejects(damask.runs.create({ pattern: 'a', input: '' }), isDamaskError({ code: 'overloaded' }));
  assert.equal(server.seen.length, 4);
  server.script((_, response) => sendProblem(response, 503, 'overloaded'));
  await assert.rejects(damask.models.list(), isDamaskError({ code: 'overloaded', retryAfter: undefined }));
  assert.equal(server.seen.length, 5, 'without Retry-After it is not sent again');
});

test('no server is `unreachable`, for reads after a few tries', async () => {
  await using server = await startScriptedServer((_, response) => response.socket?.destroy());
  const damask = createDamask({ url: server.url });
  await assert.rejects(damask.me(), isDamaskError({ code: 'unreachable', status: undefined }));
  assert.equal(server.seen.length, 3);
  await assert.rejects(damask.imports.create({ files: [] }), isDamaskError({ code: 'unreachable' }));
  assert.equal(server.seen.length, 4);
});

test('an answer that breaks off is `truncated`, and one that hangs `client_timeout`', async () => {
  await using server = await startScriptedServer((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"items":');
    setTimeout(() => response.socket?.destroy(), 20);
  });
  const damask = createDamask({ url: server.url, timeoutMs: 100 });
  await assert.rejects(damask.models.list(), isDamaskError({ code: 'truncated' }));
  assert.equal(server.seen.length, 1);
  server.script(() => undefined);
  await assert.rejects(damask.models.list(), isDamaskError({ code: 'client_timeout' }));
  await assert.rejects(
    damask.runs.create({ pattern: 'a', input: '' }, { timeoutMs: 50 }),
    isDamaskError({ code: 'client_timeout' }),
  );
});

test('lists are followed to their end, and no further than the loop goes', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    const cursor = new URL(url, 'http://x').searchParams.get('cursor');
    if (cursor === null) sendJson(response, 200, { items: [{ name: 'a' }, { name: 'b' }], next: 'two' });
    else sendJson(response, 200, { items: [{ name: 'c' }] });
  });
  const damask = createDamask({ url: server.url });
  assert.deepEqual(
    (await collect(damask.patterns.listAll({ tag: 'x' }))).map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    ['/v1/patterns?limit=200&tag=x', '/v1/patterns?limit=200&tag=x&cursor=two'],
  );
  for await (const _ of damask.runs.listAll()) break;
  assert.equal(server.seen.length, 3);
});

const accepted = sseFrame('run.accepted', 0, { id: runId, pattern: 'summarize', version: 3, model: 'local/m' });

test('a stream yields typed events until the terminal one', async () => {
  await using server = await startScriptedServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(`: hello\n\n${accepted}`);
    response.write(sseFrame('output.delta', 4, { text: 'ab👋'.slice(0, 2) }));
    response.write(sseFrame('run.progress', 4, { from: 'a newer server' }));
    response.end(sseFrame('run.succeeded', 4, finishedRun({ output: 'ab' })));
  });
  const events: RunEvent[] = await collect(
    createDamask({ url: server.url }).runs.stream({ pattern: 'summarize', input: 'x' }),
  );
  assert.deepEqual(
    events.map(({ event, id }) => [event, id]),
    [
      ['run.accepted', 0],
      ['output.delta', 4],
      ['run.succeeded', 4],
    ],
  );
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), { pattern: 'summarize', input: 'x', stream: true });
  assert.equal(server.seen[0]?.headers.accept, 'text/event-stream');
});

test('a stream without a terminal event throws `truncated` with the run', async () => {
  await using server = await startScriptedServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(accepted),
  );
  const damask = createDamask({ url: server.url });
  const expected = { code: 'truncated', runId };
  await assert.rejects(collect(damask.runs.stream({ pattern: 'a', input: '' })), isDamaskError(expected));
  server.script((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
    setTimeout(() => response.socket?.destroy(), 20);
  });
  await assert.rejects(collect(damask.runs.stream({ pattern: 'a', input: '' })), isDamaskError(expected));
});

test('a stream that breaks goes on where it broke, if the run lives without it', async () => {
  const seen: string[] = [];
  await using server = await startScriptedServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (seen.length === 1) response.write(accepted + sseFrame('output.delta', 2, { text: 'ab' }));
    if (seen.length === 2)
      response.write(sseFrame('output.delta', 2, { text: '' }) + sseFrame('output.delta', 3, { text: 'c' }));
    if (seen.length < 3) setTimeout(() => response.socket?.destroy(), 20);
    else response.end(sseFrame('run.succeeded', 3, finishedRun({ output: 'abc' })));
  });
  const damask = createDamask({ url: server.url });
  const events = await collect(damask.runs.stream({ pattern: 'a', input: '', on_disconnect: 'continue' }));
  assert.deepEqual(
    events.map(({ event, id }) => [event, id]),
    [
      ['run.accepted', 0],
      ['output.delta', 2],
      ['output.delta', 3],
      ['run.succeeded', 3],
    ],
  );
  assert.deepEqual(seen, [
    'POST /v1/runs',
    `GET /v1/runs/${runId}/events?after=2`,
    `GET /v1/runs/${runId}/events?after=3`,
  ]);
});

test('a run is sent again when no answer came only if it has a key', async () => {
  let calls = 0;
  await using server = await startScriptedServer((_, response) => {
    calls += 1;
    if (calls === 1) return void response.socket?.destroy();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(finishedRun()));
  });
  const damask = createDamask({ url: server.url });
  await assert.rejects(damask.runs.create({ pattern: 'a', input: '' }), isDamaskError({ code: 'unreachable' }));
  calls = 0;
  assert.equal((await damask.runs.create({ pattern: 'a', input: '', idempotency_key: 'k' })).status, 'succeeded');
  assert.equal(calls, 2);
});

test('aborting the signal or leaving the loop closes the connection, so that the server cancels the run', async () => {
  let closed = Promise.withResolvers<void>();
  await using server = await startScriptedServer((_, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
  });
  const damask = createDamask({ url: server.url });
  const controller = new AbortController();
  const stream = damask.runs.stream({ pattern: 'a', input: '' }, { signal: controller.signal });
  await stream.next();
  controller.abort(new Error('enough'));
  await assert.rejects(stream.next(), { message: 'enough' });
  await closed.promise;

  closed = Promise.withResolvers<void>();
  for await (const _ of damask.runs.stream({ pattern: 'a', input: '' })) break;
  await closed.promise;

  closed = Promise.withResolvers<void>();
  server.script((_, response) => response.on('close', () => closed.resolve()));
  const late = AbortSignal.timeout(50);
  await assert.rejects(damask.runs.create({ pattern: 'a', input: '' }, { signal: late }), { name: 'TimeoutError' });
  await closed.promise;
});

test('the signal of a client gives up all its calls, also one that waits to be sent again', async () => {
  await using server = await startScriptedServer((_, response) =>
    sendProblem(response, 503, 'overloaded', {}, { 'retry-after': '20' }),
  );
  const controller = new AbortController();
  const damask = createDamask({ url: server.url, signal: controller.signal });
  const waiting = damask.models.list();
  setTimeout(() => controller.abort(new Error('enough')), 50);
  await assert.rejects(waiting, { message: 'enough' });
  await assert.rejects(damask.me({ signal: new AbortController().signal }), { message: 'enough' });
  assert.equal(server.seen.length, 1);
});

test('an address that cannot be a server is refused at once', () => {
  for (const url of ['', 'localhost:7440', 'ftp://a', 'http://u:p@a/', 'http://a/?x=1']) {
    assert.throws(() => createDamask({ url }), { name: 'TypeError', message: /address of a server/ });
  }
});

test('lines of a batch are sent piece by piece as they are read', async () => {
  let got = '';
  await using server = await startScriptedServer(({ body }, response) => {
    got = String(body);
    sendJson(response, 201, { id: runId });
  });
  const damask = createDamask({ url: server.url, apiKey: 'dmk_x' });
  async function* lines() {
    for (let line = 0; line < 3; line++) yield new TextEncoder().encode(`{"input":"${line}"}\n`);
  }
  await damask.batches.upload(lines(), 'jsonl', { pattern: 'summarize' });
  assert.equal(got, '{"input":"0"}\n{"input":"1"}\n{"input":"2"}\n');
});
