import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import { startVendorServer, type VendorScript } from '#platform/testing/vendor-server.ts';
import { openTestAddon, writeTinyPackage } from './addon-for-tests.ts';

let folder: string;
let opened: Awaited<ReturnType<typeof openTestAddon>>;
const closing: (() => Promise<unknown>)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'damask-packages-'));
  opened = await openTestAddon({ packages: await writeTinyPackage(folder) });
});
after(async () => {
  await opened.close();
  await Promise.all(closing.map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

async function vendor(script: VendorScript) {
  const server = await startVendorServer(script);
  closing.push(server.close);
  return server;
}
const until = async (holds: () => boolean) => {
  for (let turn = 0; turn < 500 && !holds(); turn++) await systemClock.sleep(10);
  assert.ok(holds());
};

test('a call goes through the process to the vendor and comes back with all its counts', async () => {
  const server = await vendor((_, response) => void response.end('Grüße'));
  const { done } = await opened.ask('cohere', server.origin, {
    messages: [
      { role: 'system', content: 'be kind' },
      { role: 'user', content: [{ type: 'image', media_type: 'image/png', data: 'aGk=' }] },
      { role: 'assistant', content: '', tool_calls: [{ id: 'c1', name: 'look', arguments: '{"at":1}' }] },
      { role: 'tool', content: 'seen', tool_call_id: 'c1' },
    ],
    parameters: { temperature: 0.5, max_tokens: 9, stop: ['x'], reasoning_effort: 'low' },
    tools: [{ name: 'look', parameters: { type: 'object' } }],
    tool_choice: 'auto',
    output: { type: 'json', schema: { type: 'object' } },
  });
  const result = await done;
  assert.equal(result.ok && result.stopReason, 'stop');
  assert.equal(result.text, 'Grüße');
  assert.deepEqual(result.usage, {
    input_tokens: 11,
    output_tokens: 7,
    cached_input_tokens: 4,
    reasoning_tokens: 2,
  });
  const [call] = server.calls;
  assert.equal(call?.headers.authorization, 'Bearer sk-secret');
  assert.equal(call?.headers['damask-url'], undefined);
  const { prompt, ...options } = call?.body ?? {};
  assert.deepEqual(options, {
    model: 'm',
    maxOutputTokens: 9,
    temperature: 0.5,
    stopSequences: ['x'],
    reasoning: 'low',
    responseFormat: { type: 'json', schema: { type: 'object' }, name: 'answer' },
    tools: [{ type: 'function', name: 'look', inputSchema: { type: 'object' } }],
    toolChoice: { type: 'auto' },
  });
  assert.deepEqual(prompt.slice(1), [
    { role: 'user', content: [{ type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'aGk=' } }] },
    { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: { at: 1 } }] },
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'c1', toolName: 'look', output: { type: 'text', value: 'seen' } }],
    },
  ]);
});

test('a stream arrives piece by piece, and one without its end is truncated', async () => {
  const server = await vendor((_, response) => {
    response.write('Hello');
    setImmediate(() => response.end(' world'));
  });
  const whole = await (await opened.ask('cohere', server.origin, { stream: true })).done;
  assert.deepEqual([whole.ok, whole.text], [true, 'Hello world']);
  const short = await (await opened.ask('cohere', server.origin, { stream: true, model: 'short' })).done;
  assert.equal(short.ok, false);
});

test('a caller that leaves ends the call at the vendor', async () => {
  const server = await vendor((_, response) => void response.write('Hello'));
  const { exchange, done } = await opened.ask('cohere', server.origin, { stream: true });
  await until(() => server.calls.length === 1);
  exchange.abort('run_cancelled', 'enough');
  await done;
  await until(() => server.abandoned === 1);
});

test('what the vendor refuses keeps its status and its time to wait', async () => {
  const server = await vendor((_, response) => void response.writeHead(429, { 'retry-after': '7' }).end('slow down'));
  const result = await (await opened.ask('cohere', server.origin)).done;
  assert.equal(result.ok, false);
  if (result.ok) return;
  assert.equal(result.code, 'provider_busy');
  assert.equal(result.retryAfterSeconds, 7);
  assert.match(result.detail, /slow down/);
});

test('an address that may not be called is refused, also where a package goes its own way', async () => {
  const server = await vendor((_, response) => void response.end('secret'));
  await assert.rejects(opened.ask('cohere', 'http://169.254.169.254/v2'), { code: 'egress_denied' });
  const strict = await openTestAddon({ packages: folder, allow: [] });
  closing.push(strict.close);
  await assert.rejects(strict.ask('cohere', server.origin), { code: 'egress_denied' });
  const result = await (await opened.ask('cohere', server.origin, { model: 'tunnel' })).done;
  assert.equal(result.ok, false);
  assert.match(result.ok ? '' : result.detail, /calls nobody but through the platform/);
  assert.equal(server.calls.length, 0);
});

test('a process that dies is started again by the next call', async () => {
  const server = await vendor((_, response) => void response.end('back'));
  const crash = await (await opened.ask('cohere', server.origin, { model: 'crash' })).done;
  assert.equal(crash.ok, false);
  await until(() => !opened.addon.isRunning());
  const result = await (await opened.ask('cohere', server.origin)).done;
  assert.equal(result.text, 'back');
});

test('no key is in the arguments or environment of the process, or in the log', {
  skip: !existsSync('/proc'),
}, async () => {
  const server = await vendor((_, response) => void response.end('yes'));
  await (await opened.ask('cohere', server.origin)).done;
  const shown = await Promise.all(
    ['cmdline', 'environ'].map((file) => readFile(`/proc/${opened.addon.pid()}/${file}`, 'utf8')),
  );
  const hidden = Buffer.from('sk-secret').toString('base64url').slice(0, 8);
  for (const text of [...shown, ...opened.logged]) assert.ok(!text.includes('sk-secret') && !text.includes(hidden));
});

test('nothing is left when it stops, and a stopped one does not start', async () => {
  const other = await openTestAddon({ packages: folder });
  await other.addon.ready();
  const pid = other.addon.pid() as number;
  await other.addon.stop();
  assert.throws(() => process.kill(pid, 0));
  assert.ok(!existsSync(join(other.directory, 'run', 'out.sock')));
  await assert.rejects(other.addon.ready(), { code: 'unavailable' });
  await other.close();
});

test('without its packages a call says that they are being installed, and offline why they are not', async () => {
  const other = await openTestAddon({
    environment: {
      PATH: process.env.PATH,
      HOME: folder,
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_cache: folder,
    },
  });
  closing.push(other.close);
  await assert.rejects(other.addon.ready(), { code: 'no_model', message: /being installed/ });
  await until(() => other.logged.some((line) => line.includes('could not be installed')));
  await assert.rejects(other.addon.ready(), (error: AppError) => {
    assert.deepEqual([error.code, error.details.retryAfterSeconds], ['no_model', undefined]);
    assert.match(error.message, /not ready: npm error/);
    return true;
  });
});
