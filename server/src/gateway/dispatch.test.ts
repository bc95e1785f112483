import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { operation } from '@damask/contracts/operation.ts';
import { Type } from 'typebox';
import type { CallContext } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { createDispatch, type DispatchOptions } from './dispatch.ts';
import { buildRoutes } from './routes.ts';

const contract = {
  test: {
    echo: operation({
      method: 'POST',
      path: '/v1/echo',
      permission: 'public',
      summary: 'Says it again',
      input: Type.Object({ text: Type.String() }),
      output: Type.Object({}),
      status: 200,
      errors: [],
    }),
  },
};

type Echo = (context: CallContext) => Promise<object>;

/** The edge with one operation that answers as `echo` does. */
async function serve(t: TestContext, echo: Echo, more: Partial<DispatchOptions> = {}) {
  const dispatch = createDispatch({
    routes: buildRoutes(contract),
    services: { test: { echo } },
    authenticate: () => {
      throw new Error('Nobody is asked who it is');
    },
    parseLarge: async (bytes) => JSON.parse(bytes.toString()),
    observe: () => undefined,
    clock: systemClock,
    log: createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() }),
    concurrency: 10,
    ...more,
  });
  const server = createServer((request, response) => dispatch.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { dispatch, port: (server.address() as AddressInfo).port };
}

const bodyOf = (size: number) => JSON.stringify({ text: 'x'.repeat(size) });
const headOf = (body: string) =>
  `POST /v1/echo HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

test('a client that leaves while its body is parsed has left for the service too', async (t) => {
  let context: CallContext | undefined;
  let parsing = false;
  const echo = async (given: CallContext) => {
    context = given;
    return {};
  };
  const { dispatch, port } = await serve(t, echo, {
    parseLarge: async (bytes) => {
      parsing = true;
      await systemClock.sleep(200);
      return JSON.parse(bytes.toString());
    },
  });
  const socket = connect(port, '127.0.0.1');
  const body = bodyOf(300 * 1024);
  socket.write(headOf(body) + body);
  while (!parsing) await systemClock.sleep(5);
  socket.destroy();
  while (!context) await systemClock.sleep(5);
  assert.equal(context.signal.aborted, true);
  for (let wait = 0; wait < 100 && dispatch.active > 0; wait++) await systemClock.sleep(5);
  assert.equal(dispatch.active, 0);
});

test('large bodies share one bound from their first byte to the answer, and small ones still pass', async (t) => {
  let finish = () => {};
  const begun = Promise.withResolvers<void>();
  const echo = async () => {
    begun.resolve();
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return {};
  };
  const { dispatch, port } = await serve(t, echo, { bodyBudget: 400 * 1024 });
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}/v1/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  const first = post(bodyOf(300 * 1024));
  await begun.promise;
  const refused = await post(bodyOf(300 * 1024));
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal(((await refused.json()) as { code: string }).code, 'overloaded');
  const endFirst = finish;
  const small = post(bodyOf(1024));
  while (finish === endFirst) await systemClock.sleep(5);
  finish();
  assert.equal((await small).status, 200);
  endFirst();
  assert.equal((await first).status, 200);

  const slow = connect(port, '127.0.0.1');
  const body = bodyOf(400 * 1024);
  slow.write(headOf(body) + body.slice(0, 350 * 1024));
  while (dispatch.active === 0) await systemClock.sleep(5);
  await systemClock.sleep(50);
  assert.equal((await post(bodyOf(300 * 1024))).status, 503);
  slow.destroy();
  while (dispatch.active > 0) await systemClock.sleep(5);
  const next = post(bodyOf(300 * 1024));
  const before = finish;
  while (finish === before) await systemClock.sleep(5);
  finish();
  assert.equal((await next).status, 200);
});

test('S-6: whatever is thrown is logged once and answered in general words, and the next request is served', async (t) => {
  const lines: string[] = [];
  const log = createLog({
    level: 'warn',
    clock: systemClock,
    write: (line) => lines.push(line),
    redact: createRedact(['hunter2-hunter2']),
  });
  const trap = () => {
    throw new Error('looked at');
  };
  const cyclic = new Error('inside hunter2-hunter2');
  cyclic.cause = new Error('outside', { cause: cyclic });
  const thrown = [
    'just a text hunter2-hunter2',
    cyclic,
    new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap }),
    null,
    { code: 'not_found', status: 200 },
  ];
  let next = 0;
  const { port } = await serve(
    t,
    async () => {
      if (next < thrown.length) throw thrown[next];
      return {};
    },
    { log },
  );
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/v1/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"x"}',
    });
  for (; next < thrown.length; next++) {
    lines.length = 0;
    const answer = await ask();
    const body = (await answer.json()) as { code: string; detail: string; request_id: string };
    assert.deepEqual([answer.status, body.code], [500, 'internal']);
    assert.equal(body.detail, 'Something failed on our side. The log has the cause under this request id.');
    assert.equal(lines.length, 1);
    assert.equal(JSON.parse(lines[0] as string).request_id, body.request_id);
    assert.ok(!lines[0]?.includes('hunter2'));
  }
  assert.equal((await ask()).status, 200);
});
