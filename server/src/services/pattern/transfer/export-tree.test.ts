import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { CallContext } from '#platform/call.ts';
import { libraryForTests } from '../library/library-for-tests.ts';

const { library, alpha, beta, parts, stop } = await libraryForTests();
after(stop);

const ofWorkspace = (): (() => CallContext) => {
  const workspace = parts.clock.uuid();
  return () => ({ ...alpha(), workspace });
};

async function exportAll(caller: () => CallContext, limit = 200, pattern?: string[]): Promise<PatternFile[]> {
  const files: PatternFile[] = [];
  let cursor: string | undefined;
  do {
    const page = await library.exportTree(caller(), {
      limit,
      ...(cursor !== undefined && { cursor }),
      ...(pattern && { pattern }),
    });
    files.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return files;
}

const tree = [
  { path: 'data/patterns/a/README.md', content: 'read\r\nme' },
  { path: 'data/patterns/a/system.md', content: '\ufeff# IDENTITY\r\nGrüße {{name}}\n\n' },
  { path: 'data/patterns/b/examples/one.md', content: '' },
  { path: 'data/patterns/b/pattern.yaml', content: 'title: B\ndescription: Of its own\n' },
  { path: 'data/patterns/b/system.md', content: 'B.' },
  { path: 'data/strategies/calm.json', content: '{\n    "description": "",\n    "prompt": "Be calm."\n}\n' },
  {
    path: 'scripts/pattern_descriptions/pattern_descriptions.json',
    content: JSON.stringify({ patterns: [{ patternName: 'a', description: 'Greets', tags: ['TALK'] }] }, null, 2),
  },
];

test('what was imported comes out byte for byte, in pages of any size, and goes in again as the same', async () => {
  await library.importTree(alpha(), { files: tree });
  for (const limit of [1, 2, 200]) assert.deepEqual(await exportAll(alpha, limit), tree);
  const again = await library.importTree(alpha(), { files: await exportAll(alpha) });
  assert.deepEqual([...new Set([...again.patterns, ...again.strategies].map(({ outcome }) => outcome))], ['same']);
  const elsewhere = ofWorkspace();
  await library.importTree(elsewhere(), { files: await exportAll(alpha) });
  assert.deepEqual(await exportAll(elsewhere), tree);
});

test('patterns can be named, an unknown one is not found, and nobody gets what is not theirs', async () => {
  const only = await exportAll(alpha, 1, ['a']);
  assert.deepEqual(
    only.map(({ path }) => path),
    ['data/patterns/a/README.md', 'data/patterns/a/system.md', tree.at(-1)?.path],
  );
  await assert.rejects(library.exportTree(alpha(), { pattern: ['a', 'nothing'] }), { code: 'not_found' });
  await assert.rejects(library.exportTree(beta(), { pattern: ['a'] }), { code: 'not_found' });
  assert.deepEqual(await exportAll(beta), []);
  const { next } = await library.exportTree(alpha(), { limit: 1 });
  await assert.rejects(library.exportTree(beta(), { cursor: next as string }), { code: 'invalid_cursor' });
  await assert.rejects(library.exportTree(alpha(), { cursor: next as string, pattern: ['a'] }), {
    code: 'invalid_cursor',
  });
});

test('the newest version is exported, a deleted pattern is not, and a large one fills a page of its own', async () => {
  const caller = ofWorkspace();
  for (const name of ['one', 'two', 'three']) {
    await library.createPattern(caller(), { name, system: `${name} `.repeat(50_000) });
  }
  await library.publishVersion(caller(), { pattern: 'one', system: 'Newer.' });
  await library.deletePattern(caller(), { pattern: 'two' });
  const first = await library.exportTree(caller(), {});
  assert.deepEqual(
    first.items.map(({ path, content }) => [path, content.length < 10]),
    [
      ['data/patterns/one/system.md', true],
      ['data/patterns/three/system.md', false],
    ],
  );
  await library.restorePattern(caller(), { pattern: 'two' });
  await library.publishVersion(caller(), { pattern: 'one', system: 'x'.repeat(400_000) });
  assert.equal((await library.exportTree(caller(), {})).items.length, 1);
  assert.equal((await exportAll(caller)).length, 3);
});

const fabric = join(import.meta.dirname, '../../../../../../shared/fabric-library');
const skip = existsSync(fabric) ? false : 'a clone of Fabric is needed at ../shared/fabric-library';

test('the whole Fabric library goes in and comes out as the same bytes', { skip }, async () => {
  const files: PatternFile[] = [];
  for (const entry of await readdir(fabric, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: path.slice(fabric.length + 1), content: await readFile(path, 'utf8') });
  }
  const [here, there] = [ofWorkspace(), ofWorkspace()];
  const report = await library.importTree(here(), { files });
  const exported = await exportAll(here);
  // Not kept: what belongs to no pattern.
  const kept = files.filter(({ path }) => !report.ignored.some((ignored) => ignored.path === path));
  const about = 'scripts/pattern_descriptions/pattern_descriptions.json';
  const byPath = (list: readonly PatternFile[]) =>
    new Map(list.filter(({ path }) => path !== about).map(({ path, content }) => [path, content]));
  assert.deepEqual(byPath(exported), byPath(kept));
  assert.deepEqual(report.ignored.map(({ path }) => path).sort(), [
    'LICENSE',
    'README.md',
    'data/patterns/pattern_explanations.md',
    'scripts/pattern_descriptions/pattern_extracts.json',
  ]);
  // The list of descriptions says the same in another order.
  const listed = (list: readonly PatternFile[]) =>
    JSON.parse(list.find(({ path }) => path === about)?.content ?? '{}').patterns.map(
      (each: { patternName: string; description: string; tags: string[] }) => [each.patternName, each],
    );
  assert.deepEqual(new Map(listed(exported)), new Map(listed(files)));
  await library.importTree(there(), { files: exported });
  const again = await library.importTree(there(), { files });
  const outcomes = new Set([...again.patterns, ...again.strategies].map(({ outcome }) => outcome));
  assert.deepEqual([...outcomes], ['same']);
  assert.equal(again.patterns.length, 255);
});
