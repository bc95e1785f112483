import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startChild } from '#platform/child-process.ts';
import { systemClock } from '#platform/clock.ts';
import { writeTinyModel } from '#platform/testing/tiny-model.ts';
import { createLocalModel, type LocalModelState } from './local-model.ts';
import { runtimeFolder } from './runtime.ts';
import { cacheWithRuntime, clientOf, startTestModel, testOptions, whyNoRuntime } from './test-model.ts';

const skip = await whyNoRuntime();
const hi = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 3 };

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'damask-local-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(holds: () => boolean, within = 15_000): Promise<void> {
  const deadline = systemClock.monotonic() + within;
  while (!holds()) {
    assert.ok(systemClock.monotonic() < deadline, `did not come true within ${within} ms`);
    await systemClock.sleep(10);
  }
}

test('nothing is fetched or started before it is asked for', async (t) => {
  const directory = await folder(t);
  const local = createLocalModel({ ...testOptions(directory), cacheDir: join(directory, 'cache') });
  assert.equal(local.name, 'smollm2-135m-instruct');
  assert.deepEqual(local.state(), { state: 'absent' });
  assert.equal(local.contextSize(), null);
  await local.stop();
  assert.equal(existsSync(join(directory, 'cache')), false);
});

test('a model is fetched, started and served; its states are told on the way', { skip }, async (t) => {
  const directory = await folder(t);
  const file = join(directory, 'made.gguf');
  await writeTinyModel(file);
  const content = await readFile(file);
  const modelSha256 = createHash('sha256').update(content).digest('hex');
  const cacheDir = await cacheWithRuntime(directory);
  const seen: LocalModelState[] = [];
  const options = {
    ...testOptions(directory),
    cacheDir,
    source: { modelUrl: 'https://m.example/a.gguf', modelSha256 },
  };
  const local = createLocalModel({
    ...options,
    download: async () => ({
      total: content.length,
      chunks: (async function* () {
        yield content.subarray(0, 1000);
        seen.push(local.state());
        yield content.subarray(1000);
      })(),
    }),
  });
  t.after(() => local.stop());
  assert.equal(local.ensure(), local.ensure());
  assert.equal(local.state().state, 'fetching');
  await local.ensure();
  assert.deepEqual(seen, [{ state: 'fetching', phase: 'downloading', received: 1000, total: content.length }]);
  assert.deepEqual(local.state(), { state: 'ready' });
  assert.equal(local.contextSize(), 512);
  const answer = await clientOf(local).ask(hi);
  assert.equal(JSON.parse(answer.text).choices[0].message.content, 'abc');

  await local.stop();
  assert.equal(existsSync(local.socketPath), false);
  await assert.rejects(local.ensure(), { code: 'unavailable' });

  const second = createLocalModel(options);
  t.after(() => second.stop());
  assert.deepEqual(second.state(), { state: 'starting' }, 'all is on disk: no network is needed');
  await second.ensure();
});

test('a killed process is started again without a call', { skip }, async (t) => {
  const model = await startTestModel({});
  t.after(() => model.stop());
  const first = model.pid();
  process.kill(first, 'SIGKILL');
  await until(() => model.local.state().state === 'starting');
  await until(() => model.local.state().state === 'ready');
  assert.notEqual(model.pid(), first);
  assert.equal((await model.ask(hi)).status, 200);
  assert.ok(model.lines.some((line) => /was ended by SIGKILL/.test(String(line.message))));

  const second = model.pid();
  await model.stop();
  await until(() => !isAlive(second));
});

test('the process ends when the one that started it is killed', { skip }, async (t) => {
  const module = new URL('./test-model.ts', import.meta.url).href;
  const code = `const { pid, local } = await (await import(${JSON.stringify(module)})).startTestModel({});
    process.stdout.write(JSON.stringify({ pid: pid(), socketPath: local.socketPath }));`;
  const parent = await startChild({
    command: process.execPath,
    args: ['--input-type=module', '-e', code],
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<Buffer>((resolve) => parent.stdout?.once('data', resolve));
  const { pid, socketPath } = JSON.parse(said.toString()) as { pid: number; socketPath: string };
  t.after(() => rm(dirname(socketPath), { recursive: true, force: true }));
  assert.ok(isAlive(pid));
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid), 5_000);
});

test('a file that only begins as a model is told with what the loader said', { skip }, async (t) => {
  const directory = await folder(t);
  const modelPath = join(directory, 'cut.gguf');
  await writeTinyModel(modelPath);
  await truncate(modelPath, 100_000);
  const local = createLocalModel({ ...testOptions(directory), source: { modelPath } });
  t.after(() => local.stop());
  await assert.rejects(local.ensure(), {
    code: 'no_model',
    message: /The process of the local model ended with code 1; .*load/,
  });
  const { state, reason = '' } = local.state();
  assert.equal(state, 'failed');
  assert.doesNotMatch(reason, /Ways to get one/);

  await writeTinyModel(modelPath);
  await local.ensure();
  assert.equal(local.state().state, 'ready');
});

test('stop gives up a fetch under way', async (t) => {
  const directory = await folder(t);
  const cacheDir = join(directory, 'cache');
  await mkdir(runtimeFolder(cacheDir, { os: process.platform, cpu: process.arch }), { recursive: true });
  const started = Promise.withResolvers<void>();
  const local = createLocalModel({
    ...testOptions(directory),
    cacheDir,
    source: { modelUrl: 'https://m.example/a.gguf', modelSha256: '0'.repeat(64) },
    download: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        started.resolve();
      }),
  });
  const ensured = assert.rejects(local.ensure(), { code: 'unavailable', message: /is stopping/ });
  await started.promise;
  await local.stop();
  await ensured;
  const left = await readdir(join(cacheDir, 'local-model'), { recursive: true });
  assert.deepEqual(
    left.filter((name) => /fetch-|lock/.test(name)),
    [],
  );
});

test('what cannot be fetched is told, and may be asked for again', async (t) => {
  const directory = await folder(t);
  const options = { ...testOptions(directory), cacheDir: join(directory, 'cache'), environment: { PATH: '/nowhere' } };
  const local = createLocalModel(options);
  await assert.rejects(local.ensure(), { code: 'no_model' });
  assert.equal(local.state().state, 'failed');
  await assert.rejects(local.ensure(), { code: 'no_model' });
  await local.stop();
});

test('a path that is too long for a socket is refused at once', async (t) => {
  const directory = join(await folder(t), 'x'.repeat(100));
  assert.throws(() => createLocalModel(testOptions(directory)), { code: 'invalid_request', message: /too long/ });
});
