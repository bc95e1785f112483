import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runToEnd } from '#platform/child-process.ts';
import { systemClock } from '#platform/clock.ts';
import { startVendorServer, type VendorScript } from '#platform/testing/vendor-server.ts';
import { openTestAddon } from './addon-for-tests.ts';
import { addonProgram, installAddon } from './install-addon.ts';

const skip = await whyNoRegistry();

async function whyNoRegistry(): Promise<string | false> {
  const asked = await runToEnd('npm', ['view', '@ai-sdk/cohere', 'version'], {
    timeoutMs: 30_000,
    cwd: addonProgram,
  }).catch(() => undefined);
  return asked?.code === 0 ? false : 'a package registry is needed: `npm view @ai-sdk/cohere version` must work here';
}

describe('the real packages of the add-on', { skip, timeout: 300_000 }, () => {
  let folder: string;
  let packages: string;
  const askedFor: string[] = [];
  let opened: Awaited<ReturnType<typeof openTestAddon>>;
  const closing: (() => Promise<unknown>)[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'damask-vendors-'));
    const { signal } = new AbortController();
    const from = { cacheDir: folder, environment: process.env, nodePath: process.execPath };
    packages = await installAddon({ ...from, clock: systemClock, signal });
    opened = await openTestAddon({
      packages,
      async lookup(host) {
        askedFor.push(host);
        return [];
      },
    });
  });
  after(async () => {
    await opened?.close();
    await Promise.all(closing.map((close) => close()));
    await rm(folder, { recursive: true, force: true });
  });

  async function vendor(script: VendorScript) {
    const server = await startVendorServer(script);
    closing.push(server.close);
    return server;
  }
  const json =
    (answer: object): VendorScript =>
    (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));

  const cohereUsage = {
    billed_units: { input_tokens: 5, output_tokens: 3 },
    tokens: { input_tokens: 11, output_tokens: 7 },
    cached_tokens: 4,
  };

  test('Cohere answers whole, streamed, with a tool and with an error', async () => {
    const server = await vendor(({ number, body }, response) => {
      if (number === 3) {
        response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '3' });
        return void response.end('{"message":"too fast"}');
      }
      if (body.stream) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const send = (data: { type: string }) =>
          response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
        const say = (type: string, text: string) =>
          send({ type, index: 0, delta: { message: { content: { type: 'text', text } } } } as never);
        send({ type: 'message-start', id: 'x' } as never);
        say('content-start', '');
        say('content-delta', 'Hello');
        say('content-delta', ' world');
        send({ type: 'content-end', index: 0 } as never);
        send({ type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: cohereUsage } } as never);
        return void response.end();
      }
      const message = {
        role: 'assistant',
        content: [{ type: 'text', text: 'Hi' }],
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
      };
      const answer = { generation_id: 'g', message, finish_reason: 'TOOL_CALL', usage: cohereUsage };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    const tools = [{ name: 'look', parameters: { type: 'object', properties: { at: { type: 'number' } } } }];
    const whole = await (await opened.ask('cohere', server.origin, { model: 'command-a', tools })).done;
    assert.ok(whole.ok, JSON.stringify(whole));
    assert.deepEqual([whole.text, whole.stopReason], ['Hi', 'tool_calls']);
    assert.deepEqual(
      whole.tool_calls.map(({ name, arguments: written }) => [name, written]),
      [['look', '{"at":1}']],
    );
    assert.equal(whole.usage.input_tokens, 11);
    assert.equal(server.calls[0]?.path, '/chat');
    assert.equal(server.calls[0]?.headers.authorization, 'Bearer sk-secret');
    const streamed = await (await opened.ask('cohere', server.origin, { stream: true })).done;
    assert.ok(streamed.ok, JSON.stringify(streamed));
    assert.deepEqual([streamed.text, streamed.usage.output_tokens], ['Hello world', 7]);
    const busy = await (await opened.ask('cohere', server.origin)).done;
    assert.ok(!busy.ok);
    assert.deepEqual([busy.code, busy.retryAfterSeconds], ['provider_busy', 3]);
    // Nobody but the router asks again.
    assert.equal(server.calls.length, 3);
  });

  test('Bedrock is signed, or given its API key, and answers whole and streamed', async () => {
    const usage = { inputTokens: 11, outputTokens: 7, totalTokens: 18, cacheReadInputTokens: 4 };
    const frames = await bedrockFrames(packages, [
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hello ' } }],
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'world' } }],
      ['contentBlockStop', { contentBlockIndex: 0 }],
      ['messageStop', { stopReason: 'end_turn' }],
      ['metadata', { usage, metrics: { latencyMs: 1 } }],
    ]);
    const server = await vendor((call, response) => {
      if (call.path.endsWith('/converse-stream')) {
        return void response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' }).end(frames);
      }
      const output = { message: { role: 'assistant', content: [{ text: 'Hi' }] } };
      return json({ output, stopReason: 'end_turn', usage, metrics: { latencyMs: 1 } })(call, response);
    });
    const model = 'eu.amazon.nova-lite-v1:0';
    const whole = await (await opened.ask('bedrock', server.origin, { model }, 'AKIATEST:secretsecret')).done;
    assert.ok(whole.ok, JSON.stringify(whole));
    assert.deepEqual([whole.text, whole.stopReason, whole.usage.output_tokens], ['Hi', 'stop', 7]);
    const [first] = server.calls;
    assert.match(first?.path ?? '', /^\/model\/eu\.amazon\.nova-lite-v1(:|%3A)0\/converse$/);
    assert.match(
      first?.headers.authorization ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d+\/us-east-1\/bedrock\//,
    );
    const streamed = await (await opened.ask('bedrock', server.origin, { model, stream: true }, 'ABSKkey')).done;
    assert.ok(streamed.ok, JSON.stringify(streamed));
    assert.equal(streamed.text, 'Hello world');
    assert.equal(server.calls[1]?.headers.authorization, 'Bearer ABSKkey');
  });

  test('Vertex takes an API key; a token for a service account is asked for through the platform', async () => {
    const server = await vendor(
      json({
        candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 },
      }),
    );
    const base = `${server.origin}/v1/projects/p/locations/l/publishers/google`;
    const result = await (await opened.ask('vertex', base, { model: 'gemini-3-pro' }, 'AIzaKey')).done;
    assert.ok(result.ok, JSON.stringify(result));
    assert.equal(result.text, 'Hi');
    assert.equal(server.calls[0]?.headers['x-goog-api-key'], 'AIzaKey');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const account = {
      client_email: 'a@b.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    const key = Buffer.from(JSON.stringify(account)).toString('base64');
    const refused = await (await opened.ask('vertex', base, { model: 'gemini-3-pro' }, key)).done;
    assert.ok(!refused.ok);
    assert.deepEqual(askedFor, ['oauth2.googleapis.com']);
    assert.equal(server.calls.length, 1);
  });

  test('Mistral answers', async () => {
    const message = { role: 'assistant', content: 'Hi' };
    const server = await vendor(
      json({
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      }),
    );
    const result = await (await opened.ask('mistral', server.origin)).done;
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual([result.text, result.usage.input_tokens], ['Hi', 11]);
  });
});

/** Frames of AWS's binary event stream. */
async function bedrockFrames(packages: string, events: readonly [string, object][]): Promise<Buffer> {
  const at = (path: string) => pathToFileURL(join(packages, 'node_modules', '@smithy', path)).href;
  const { EventStreamCodec } = await import(at('eventstream-codec/dist-es/index.js')).catch(
    () => import(at('eventstream-codec/dist-cjs/index.js')),
  );
  const codec = new EventStreamCodec(
    (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8'),
    (text: string) => Buffer.from(text),
  );
  return Buffer.concat(
    events.map(([type, body]) =>
      codec.encode({
        headers: {
          ':event-type': { type: 'string', value: type },
          ':content-type': { type: 'string', value: 'application/json' },
          ':message-type': { type: 'string', value: 'event' },
        },
        body: Buffer.from(JSON.stringify(body)),
      }),
    ),
  );
}
