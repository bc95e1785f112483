import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const provider = {
  name: 'lab',
  origin: 'workspace',
  protocol: 'openai',
  base_url: 'https://llm.example.org/v1',
  api_version: null,
  has_key: true,
  models: [],
  offered: ['big', 'small'],
  limits: { concurrency: null, requests_per_minute: null, tokens_per_minute: null },
  fallbacks: [],
  updated_at: '2026-11-22T10:00:00.000Z',
};
const health = {
  provider: 'lab',
  origin: 'workspace',
  state: 'open',
  models: [{ model: 'big', state: 'open', retry_after_ms: 9_000 }],
  key_refused: true,
  retry_after_ms: 9_000,
  calls: 20,
  failures: 10,
  failure_share: 0.5,
  retries: 2,
  running: 0,
  waiting: 0,
  p50_ms: 120,
  last_error: { code: 'provider_auth', detail: 'lab refused the key (401).', at: '2026-11-22T10:00:00.000Z' },
};

/** A server with one provider; tells what was put. */
async function startServer(items: readonly object[] = [provider]) {
  const put: { body: Record<string, unknown> }[] = [];
  const opened = await startScriptedServer(({ method, url, body }, response) => {
    if (method === 'PUT') {
      put.push({ body: JSON.parse(String(body)) });
      sendJson(response, 200, provider);
    } else sendJson(response, 200, { items: url.endsWith('/health') ? [health] : items });
  });
  return { opened, put };
}

test('providers are listed with how they behave', async () => {
  const { opened } = await startServer();
  await using server = opened;
  const { stdout } = await runCli(['providers'], { url: server.url });
  assert.match(stdout, /lab +openai +workspace +refused +2 +open big 9\.0 s +20 +50% +2 +120 ms +lab refused the key/);
  const { stdout: json } = await runCli(['providers', '--json'], { url: server.url });
  assert.equal(JSON.parse(json)[0].health.state, 'open');
});

test('a key comes from a variable or from the standard input, and is never an argument', async () => {
  const { opened, put } = await startServer([]);
  await using server = opened;
  const add = (args: readonly string[], more: object = {}) =>
    runCli(['providers', 'add', 'anthropic', ...args], { url: server.url, ...more });
  const named = await add(['--key-env', 'MY_KEY'], { env: { MY_KEY: 'sk-env' } });
  assert.equal(named.code, 0, named.stderr);
  assert.equal((await add(['--key-stdin'], { input: 'sk-piped\n' })).code, 0);
  assert.deepEqual(
    put.map(({ body }) => [body.api_key, body.protocol, body.base_url]),
    ['sk-env', 'sk-piped'].map((key) => [key, 'anthropic', 'https://api.anthropic.com/v1']),
  );
  for (const [args, more, words] of [
    [['--key', 'sk-seen'], {}, /--key/],
    [[], {}, /--key-env <variable>, --key-stdin/],
    [['--key-env', 'NOT_SET'], {}, /NOT_SET is not set/],
    [['--key-env', 'A', '--no-key'], {}, /only one/],
    [['--key-stdin'], { input: 'two words' }, /no key/],
    [['--protocol', 'grpc', '--no-key'], {}, /openai, anthropic, gemini, azure, ollama/],
    [['--limit', 'rpm', '--no-key'], {}, /rpm=/],
    [['--model', 'x=cheap', '--no-key'], {}, /in\/out/],
  ] as const) {
    const refused = await add(args, more);
    assert.match(refused.stderr, words, args.join(' '));
    assert.notEqual(refused.code, 0);
    assert.doesNotMatch(refused.stderr, /sk-seen/);
  }
  assert.equal(put.length, 2);
});

test('a change sends what was named, to the address that is known', async () => {
  const { opened, put } = await startServer();
  await using server = opened;
  const args = ['--no-key', '--model', 'big=0.5/1.5/0.05', '--model', 'small', '--limit', 'rpm=60', '--limit', 'tpm=0'];
  const done = await runCli(['providers', 'add', 'lab', ...args, '--fallback', 'a/b'], { url: server.url });
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(put[0]?.body, {
    base_url: 'https://llm.example.org/v1',
    protocol: 'openai',
    models: [{ id: 'big', input_price: 500_000, output_price: 1_500_000, cached_input_price: 50_000 }, { id: 'small' }],
    limits: { requests_per_minute: 60, tokens_per_minute: null },
    fallbacks: ['a/b'],
  });
  const unknown = await runCli(['providers', 'add', 'elsewhere', '--no-key'], { url: server.url });
  assert.deepEqual([unknown.code, /--base-url/.test(unknown.stderr)], [2, true]);
});

test('a test tells how it went, with an exit code that a script can use', async () => {
  const told = {
    provider: 'lab',
    ok: true,
    model: 'lab/big',
    latency_ms: 310,
    cost_micros: null,
    offered: 2,
    error: null,
  };
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, told));
  const good = await runCli(['providers', 'test', 'lab', '-m', 'lab/big'], { url: server.url });
  assert.deepEqual([good.code, good.stdout], [0, 'ok  lab/big answered in 310 ms for unknown, lists 2 models\n']);
  assert.deepEqual(JSON.parse(String(server.seen.at(-1)?.body)), { model: 'big' });
  const error = {
    code: 'provider_auth',
    detail: 'lab refused the key (401). Enter a valid one.',
    provider_status: 401,
  };
  server.script((_, response) => sendJson(response, 200, { ...told, ok: false, latency_ms: null, error }));
  const bad = await runCli(['providers', 'test', 'lab'], { url: server.url });
  assert.deepEqual([bad.code, /refused the key/.test(bad.stderr)], [1, true]);
  server.script((_, response) => sendProblem(response, 404, 'not_found'));
  assert.equal((await runCli(['providers', 'remove', 'lab'], { url: server.url })).code, 5);
});
