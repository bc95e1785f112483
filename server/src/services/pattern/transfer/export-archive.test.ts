import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import { startTestPlatform } from '../../../testing/test-platform.ts';
import { readTar } from './read-tar.ts';
import { readZip } from './read-zip.ts';

const platform: TestPlatform = await startTestPlatform();
after(() => platform.stop());

const long = 'n'.repeat(120);
const files = [
  { path: `patterns/zz_a/${long}.md`, content: 'x' },
  { path: 'patterns/zz_a/system.md', content: '\ufeffGrüße {{name}}\r\n' },
  { path: 'patterns/zz_b/system.md', content: 'B '.repeat(100_000) },
];

async function fetchArchive(query: string) {
  const response = await fetch(`${platform.url}/v1/exports/archive${query}`, {
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}` },
  });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

test('one request gives the whole library as a zip or a tar, which an import takes as the same', async () => {
  assert.equal((await platform.call('POST', '/v1/imports', { files })).status, 200);
  const zip = await fetchArchive('');
  assert.deepEqual(
    [zip.status, zip.headers.get('content-type'), zip.headers.get('content-disposition')],
    [200, 'application/zip', 'attachment; filename="damask-exports.zip"'],
  );
  const tar = await fetchArchive('?format=tar');
  assert.equal(tar.headers.get('content-type'), 'application/x-tar');
  for (const entries of [readZip(zip.bytes), readTar(tar.bytes)]) {
    const own = entries.filter(({ path }) => path.startsWith('data/patterns/zz_'));
    assert.deepEqual(
      await Promise.all(own.map(async (entry) => ({ path: entry.path, content: (await entry.read()).toString() }))),
      files.map(({ path, content }) => ({ path: `data/${path}`, content })),
    );
    assert.ok(entries.some(({ path }) => path.startsWith('data/strategies/')));
  }
  assert.deepEqual((await fetchArchive('')).bytes, zip.bytes);
  const response = await fetch(`${platform.url}/v1/imports/archive?origin=all.zip`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/zip' },
    body: zip.bytes,
  });
  const report = (await response.json()) as { patterns: { outcome: string }[] };
  assert.deepEqual([...new Set(report.patterns.map(({ outcome }) => outcome))], ['same']);
});

test('named patterns only, and refusals are plain problems', async () => {
  const one = readZip((await fetchArchive('?pattern=zz_b')).bytes);
  assert.deepEqual(
    one.map(({ path }) => path),
    ['data/patterns/zz_b/system.md'],
  );
  const call = (query: string) => platform.call('GET', `/v1/exports/archive${query}`);
  assert.equal((await call('?pattern=nothing_here')).body.code, 'not_found');
  assert.equal((await call('?format=rar')).body.code, 'invalid_request');
  assert.equal((await fetch(`${platform.url}/v1/exports/archive`, { method: 'HEAD' })).status, 405);
});
