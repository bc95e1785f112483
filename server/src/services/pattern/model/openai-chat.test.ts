import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Pool } from 'undici';
import { systemClock } from '#platform/clock.ts';
import { type Script, startModelServer } from '#platform/testing/model-server.ts';
import type { ModelRequest } from './model-call.ts';
import { createOpenAiChat } from './openai-chat.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

const standard = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], parameters: {}, timeoutMs: 5_000 };
const limits = { firstByteMs: 5_000, idleMs: 5_000 };

async function open(script: Script, given: Partial<typeof limits> = {}) {
  const server = await startModelServer(script);
  const pool = new Pool(new URL(server.url).origin);
  closing.push(
    () => server.close(),
    () => pool.destroy(),
  );
  const port = createOpenAiChat({
    provider: 'fake',
    pool,
    basePath: '/v1',
    apiKey: 'sk-secret',
    maxTokensField: 'max_tokens',
    defaultMaxTokens: 1_000,
    ...limits,
    ...given,
    redact: (text) => text.replaceAll('sk-secret', '[redacted]'),
    clock: systemClock,
  });
  const call = async (request: Partial<ModelRequest> = {}) => {
    let text = '';
    const exchange = port.call({
      ...standard,
      stream: false,
      onText: (piece) => {
        text += piece;
        return true;
      },
      ...request,
    });
    return { exchange, result: exchange.done.then((result) => ({ ...result, text })) };
  };
  return { server, call, finish: async (request?: Partial<ModelRequest>) => (await call(request)).result };
}

const content = (text: string) => ({ choices: [{ index: 0, delta: { content: text } }] });
const stop = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };

test('a limit of tokens is always sent', async () => {
  const { finish, server } = await open((_, answer) => answer.say('ok'));
  await finish();
  assert.equal(server.calls[0]?.body.max_tokens, 1_000);
});

for (const stream of [false, true]) {
  const kind = stream ? 'stream' : 'plain answer';

  test(`a ${kind} gives text, stop reason and usage`, async () => {
    const { finish, server } = await open((_, answer) => answer.say('Hello you.', { pieces: ['Hel', 'lo ', 'you.'] }));
    const result = await finish({ stream, parameters: { temperature: 0.5, max_tokens: 9 } });
    assert.equal(result.ok, true);
    assert.equal(result.text, 'Hello you.');
    assert.deepEqual(result.usage, {
      input_tokens: 11,
      output_tokens: 7,
      cached_input_tokens: null,
      reasoning_tokens: null,
    });
    assert.equal(result.ok && result.stopReason, 'stop');
    const [sent] = server.calls;
    assert.equal(sent?.authorization, 'Bearer sk-secret');
    assert.equal(sent?.body.temperature, 0.5);
    assert.equal(sent?.body.max_tokens, 9);
    assert.equal(sent?.stream, stream);
  });

  for (const [status, code] of [
    [401, 'provider_auth'],
    [404, 'model_not_found'],
    [429, 'provider_busy'],
    [500, 'provider_error'],
    [529, 'provider_busy'],
  ] as const) {
    test(`a ${kind} refused with ${status} is ${code} and quotes the provider without secrets`, async () => {
      const { finish } = await open((_, { response }) => {
        response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '99999999' });
        response.end(JSON.stringify({ error: { message: 'no, sk-secret\n is bad' } }));
      });
      const result = await finish({ stream });
      assert.ok(!result.ok);
      assert.equal(result.code, code);
      assert.equal(result.status, status);
      assert.match(result.detail, /\[redacted\] is bad/);
      if (code === 'provider_busy') assert.equal(result.retryAfterSeconds, 60);
    });
  }

  test(`a ${kind} that is a web page is a protocol error`, async () => {
    const { finish } = await open(
      (_, { response }) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    const result = await finish({ stream });
    assert.equal(!result.ok && result.code, 'provider_protocol_error');
  });

  test(`a ${kind} that never begins ends with the total time`, async () => {
    const { finish } = await open(() => undefined);
    const result = await finish({ stream, timeoutMs: 150 });
    assert.equal(!result.ok && result.code, 'timeout');
  });

  test(`a ${kind} that is aborted ends the call upstream`, async () => {
    const { server, call } = await open(() => undefined);
    const { exchange, result } = await call({ stream });
    while (server.calls.length === 0) await systemClock.sleep(5);
    exchange.abort('run_cancelled', 'enough');
    const { ok, ...rest } = await result;
    assert.equal(ok, false);
    assert.equal((rest as { code: string }).code, 'run_cancelled');
    for (let wait = 0; wait < 200 && server.abandoned === 0; wait++) await systemClock.sleep(5);
    assert.equal(server.abandoned, 1);
  });
}

const cut: [string, Script][] = [
  ['without [DONE]', (_, answer) => answer.say('almost', { done: false })],
  ['without a finish reason', (_, answer) => answer.say('almost', { finish: null })],
  [
    'by a closed connection',
    (_, { chunk, response }) => {
      chunk(content('almost'));
      setTimeout(() => response.destroy(), 20);
    },
  ],
  [
    'right after its head',
    (_, { response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
    },
  ],
  [
    'with [DONE] alone',
    (_, { chunk, response }) => {
      chunk('[DONE]');
      response.end();
    },
  ],
];
for (const [how, script] of cut) {
  test(`a stream that ends ${how} is truncated, never a success`, async () => {
    const result = await (await open(script)).finish({ stream: true });
    assert.equal(!result.ok && result.code, 'truncated');
  });
}

test('a plain answer that is cut off is truncated', async () => {
  const { finish } = await open((_, { response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
    response.write('{"choices":[');
    setTimeout(() => response.destroy(), 20);
  });
  const result = await finish();
  assert.equal(!result.ok && result.code, 'truncated');
});

test('a stream that falls silent ends after the idle time', async () => {
  const { finish } = await open((_, { chunk }) => chunk(content('one')), { idleMs: 120 });
  const result = await finish({ stream: true });
  assert.equal(!result.ok && result.code, 'timeout');
  assert.equal(result.text, 'one');
  assert.match(!result.ok ? result.detail : '', /fell silent/);
});

test('a stream whose first byte does not come ends after its own time', async () => {
  const { finish } = await open(() => undefined, { firstByteMs: 120 });
  const result = await finish({ stream: true });
  assert.match(!result.ok ? result.detail : '', /began no answer/);
});

test('an error inside a stream that began well is a provider error', async () => {
  const { finish } = await open((_, { chunk, response }) => {
    chunk(content('so far'));
    chunk({ error: { message: 'gone wrong' } });
    response.end();
  });
  const result = await finish({ stream: true });
  assert.equal(!result.ok && result.code, 'provider_error');
  assert.equal(result.text, 'so far');
});

test('comments, unknown events, CR LF, empty choices and split characters do not disturb a stream', async () => {
  const { finish } = await open(async (_, { response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const bytes = Buffer.from(
      `: ping\r\nevent: whatever\r\nretry: 5\r\n\r\ndata:{"choices":[]}\r\n\r\ndata: {"object":"x"}\r\n\r\ndata: ${JSON.stringify(content('Grüße 👋'))}\r\n\r\ndata: ${JSON.stringify(stop)}\n\ndata: [DONE]\n\n`,
    );
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      if (byte > 127) await systemClock.sleep(1);
    }
    response.end();
  });
  const result = await finish({ stream: true });
  assert.equal(result.ok, true);
  assert.equal(result.text, 'Grüße 👋');
});

test('garbage in a stream is a protocol error, and so is a line without an end', async () => {
  const garbage = await (await open((_, { chunk }) => chunk('{not json'))).finish({ stream: true });
  assert.equal(!garbage.ok && garbage.code, 'provider_protocol_error');
  const endless = await open((_, { response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${'x'.repeat(3 * 1024 * 1024)}`);
  });
  const result = await endless.finish({ stream: true });
  assert.equal(!result.ok && result.code, 'provider_protocol_error');
});

test('usage that is missing, negative or absurd is unknown', async () => {
  for (const usage of [undefined, null, 'x', { prompt_tokens: -1, completion_tokens: 1e12 }]) {
    const result = await (await open((_, answer) => answer.say('ok', { usage: usage ?? null }))).finish();
    assert.equal(result.ok, true);
    assert.deepEqual(result.usage, {
      input_tokens: null,
      output_tokens: null,
      cached_input_tokens: null,
      reasoning_tokens: null,
    });
  }
});

test('a provider that nobody listens for is told as unreachable', async () => {
  const { server, finish } = await open(() => undefined);
  await server.close();
  const result = await finish();
  assert.equal(!result.ok && result.code, 'provider_error');
  assert.match(!result.ok ? result.detail : '', /could not be reached \(ECONNREFUSED\)/);
});

test('a reader that asks to pause gets no more until it resumes', async () => {
  const { call } = await open(async (_, { chunk, response }) => {
    for (let i = 0; i < 200; i++) {
      chunk(content('x'.repeat(10_000)));
      await systemClock.sleep(0);
    }
    chunk(stop);
    chunk('[DONE]');
    response.end();
  });
  let pieces = 0;
  let characters = 0;
  const { exchange, result } = await call({
    stream: true,
    onText: (text) => {
      pieces += 1;
      characters += text.length;
      return pieces !== 3;
    },
  });
  await systemClock.sleep(150);
  assert.ok(characters < 2_000_000, `it went on to ${characters}`);
  exchange.resume();
  assert.equal((await result).ok, true);
  assert.equal(characters, 2_000_000);
});
