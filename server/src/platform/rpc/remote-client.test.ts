import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { operation } from '@damask/contracts/operation.ts';
import { Type } from 'typebox';
import { AppError } from '../app-error.ts';
import type { CallContext, EventSink } from '../call.ts';
import { systemClock } from '../clock.ts';
import { createLog } from '../log.ts';
import { createRedact } from '../redact.ts';
import { createServiceTokens } from '../service-token.ts';
import { systemContext } from '../system-context.ts';
import { createRemoteClient } from './remote-client.ts';
import { serveCalls } from './serve-calls.ts';

const operations = {
  say: operation({
    method: 'POST',
    path: '/v1/say',
    permission: 'internal',
    summary: 'Says something',
    input: Type.Object({}),
    output: Type.Object({}),
    status: 200,
    errors: [],
  }),
};

const logged: string[] = [];
const log = createLog({
  level: 'warn',
  clock: systemClock,
  write: (line) => logged.push(line),
  redact: createRedact(),
});
const tokensWith = (secret: number) => createServiceTokens({ secret: Buffer.alloc(32, secret), clock: systemClock });
const closing: (() => unknown)[] = [];
after(async () => {
  for (const close of closing) await close();
});

async function connectTo(server: ReturnType<typeof createServer>, secret = 1) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokens = tokensWith(secret);
  const remote = createRemoteClient<typeof operations>({
    service: 'test',
    operations,
    origin,
    tokens,
    clock: systemClock,
  });
  closing.push(
    remote.close,
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return { ...remote, server, origin };
}

/** A service whose one operation does what it is told. */
const openService = (
  say: (context: CallContext) => Promise<unknown>,
  options: { ready?: () => string | null; secret?: number } = {},
) => connectTo(serveCalls({ services: { test: { say } }, tokens: tokensWith(1), log, ...options }), options.secret);
/** A service that is broken in its own way. */
const openBroken = (answer: RequestListener) => connectTo(createServer(answer));

function context(given: Partial<CallContext> = {}): CallContext {
  return { ...systemContext(systemClock), ...given };
}

function collect(given: Partial<EventSink> = {}) {
  const told: string[] = [];
  const sink: EventSink = {
    emit(name) {
      told.push(name);
      return true;
    },
    drained: async () => undefined,
    ...given,
  };
  return { told, sink };
}

test('an error keeps its code, text and details; an unknown one says nothing of itself', async () => {
  const { client } = await openService(async () => {
    throw new AppError('invalid_request', 'must be blue', { pointer: '/colour' }, { cause: new Error('secret') });
  });
  await assert.rejects(client.say(context(), {}), (error: AppError) => {
    assert.deepEqual(
      [error.code, error.message, error.details],
      ['invalid_request', 'must be blue', { pointer: '/colour' }],
    );
    return true;
  });
  assert.match(logged.join(''), /A call was refused/);
  const broken = await openService(async () => {
    throw new Error('secret');
  });
  await assert.rejects(broken.client.say(context(), {}), (error: AppError) => {
    assert.equal(error.code, 'internal');
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test('events arrive in order before the result, and a stream without events is one too', async () => {
  const { client } = await openService(async ({ sink }) => {
    sink?.emit('first', 0, {});
    await systemClock.sleep(20);
    sink?.emit('second', 1, {});
    return { done: true };
  });
  const { told, sink } = collect();
  assert.equal(await client.say(context({ sink }), {}), null, 'what was streamed is not said again');
  assert.deepEqual(told, ['first', 'second']);
  const silent = await openService(async () => ({ done: true }));
  assert.deepEqual(await silent.client.say(context({ sink }), {}), { done: true });
});

test('a service that dies or answers nonsense is unavailable, wherever in its answer', async () => {
  const json = { 'content-type': 'application/json' };
  const frames = { 'content-type': 'application/x-ndjson' };
  for (const [what, answer] of Object.entries<RequestListener>({
    'before the head': (_, response) => response.destroy(),
    'in the body': (_, response) => {
      response.writeHead(200, { ...json, 'content-length': 100 }).write('{"a":');
      setTimeout(() => response.destroy(), 20);
    },
    'in a frame': (_, response) => {
      response.writeHead(200, frames).write('{"event":"first","id":0,"data":{}}\n{"ev');
      setTimeout(() => response.destroy(), 20);
    },
    'before the result': (_, response) => response.writeHead(200, frames).end('{"event":"first","id":0,"data":{}}\n'),
    'with text': (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
    'with a frame that is none': (_, response) => response.writeHead(200, frames).end('nonsense\n'),
  })) {
    const { client } = await openBroken(answer);
    const { sink } = collect();
    await assert.rejects(client.say(context({ sink }), {}), { code: 'unavailable', status: 503 }, what);
  }
});

test('a call that takes longer than its deadline is a timeout, also in the middle of its answer', async () => {
  const { client } = await openService(() => new Promise(() => undefined));
  await assert.rejects(client.say(context({ deadline: systemClock.now() + 200 }), {}), { code: 'timeout' });
});

test('a caller that leaves ends the call there and is no fault of ours', async () => {
  let ended = false;
  const { client } = await openService(
    ({ signal, sink }) =>
      new Promise((resolve) => {
        sink?.emit('first', 0, {});
        signal.addEventListener('abort', () => {
          ended = true;
          resolve({});
        });
      }),
  );
  const leave = new AbortController();
  const { told, sink } = collect();
  const call = client.say(context({ signal: leave.signal, sink }), {});
  while (told.length === 0) await systemClock.sleep(5);
  leave.abort();
  await assert.rejects(call, (error: AppError) => error.code === 'unavailable' && error.cause === undefined);
  for (let wait = 0; wait < 100 && !ended; wait++) await systemClock.sleep(10);
  assert.ok(ended);
});

test('nobody waits behind the calls that take long', async () => {
  let running = 0;
  const { client } = await openService(async ({ requestId }) => {
    running += 1;
    if (requestId !== 'quick') await new Promise(() => undefined);
    return {};
  });
  const leave = new AbortController();
  for (let i = 0; i < 100; i++) client.say(context({ signal: leave.signal }), {}).catch(() => undefined);
  while (running < 100) await systemClock.sleep(10);
  assert.deepEqual(await client.say(context({ requestId: 'quick' }), {}), {});
  leave.abort();
});

test('a reader that is slow holds the service back', async () => {
  let sent = 0;
  const { client } = await openService(async ({ sink }) => {
    for (sent = 0; sent < 2_000; sent++) {
      if (!sink?.emit('piece', sent, 'x'.repeat(10_000))) await sink?.drained();
    }
    return {};
  });
  let free: (() => void) | undefined;
  const { sink } = collect({
    emit: () => false,
    drained: () =>
      new Promise((resolve) => {
        free = resolve;
      }),
  });
  const call = client.say(context({ sink }), {});
  await systemClock.sleep(300);
  assert.ok(sent > 0 && sent < 1_500, `${sent} pieces were sent to a reader that took one`);
  const timer = setInterval(() => free?.(), 0);
  sink.drained = async () => undefined;
  assert.equal(await call, null);
  clearInterval(timer);
});

test('a service is asked whether it is ready, and says so only to those who share its secret', async () => {
  let reason: string | null = null;
  const options = { ready: () => reason };
  const { ready, origin } = await openService(async () => ({}), options);
  assert.equal(await ready(), null);
  reason = 'It rests.';
  assert.equal(await ready(), 'It rests.');
  assert.equal((await fetch(`${origin}/rpc/test`)).status, 401);
  const stranger = await openService(async () => ({}), { ...options, secret: 2 });
  assert.match((await stranger.ready()) ?? '', /same DAMASK_SERVICE_SECRET/);
  await assert.rejects(stranger.client.say(context(), {}), { code: 'unavailable', status: 503 });
  const gone = await openService(async () => ({}));
  gone.server.close();
  assert.match((await gone.ready()) ?? '', /does not answer/);
});

test('bytes travel as they are, with their fields beside them', async () => {
  const heard: unknown[] = [];
  const server = serveCalls({
    services: {
      test: {
        say: async (context: CallContext, input: unknown) => {
          heard.push(input, Buffer.concat(context.body ?? []).toString('latin1'));
          return {};
        },
      },
    },
    tokens: tokensWith(1),
    log,
  });
  const { client } = await connectTo(server);
  const body = [Buffer.from([0xff, 0, 1]), Buffer.from('rest')];
  await client.say({ ...systemContext(systemClock), body }, { name: 'Grüße "x"' });
  assert.deepEqual(heard, [{ name: 'Grüße "x"' }, '\xff\0\x01rest']);
});

test('an upload travels while it comes: the service reads a piece before the next one is there', async () => {
  const heard: string[] = [];
  let more: (() => void) | undefined;
  const { client } = await openService(async ({ upload }) => {
    for await (const bytes of upload?.bytes ?? []) {
      heard.push(Buffer.from(bytes).toString());
      more?.();
    }
    heard.push(upload?.type ?? '');
    return {};
  });
  async function* pieces() {
    for (const piece of ['one', 'two', 'three']) {
      const taken = new Promise<void>((resolve) => {
        more = resolve;
      });
      yield Buffer.from(piece);
      await taken;
    }
  }
  await client.say({ ...systemContext(systemClock), upload: { type: 'text/csv', bytes: pieces() } }, {});
  assert.deepEqual(heard, ['one', 'two', 'three', 'text/csv']);
});
