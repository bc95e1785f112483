import assert from 'node:assert/strict';
import { test } from 'node:test';
import { houseFiles, sourceFiles } from './house.ts';

const limit = 300;
const testLimit = 500;

/** Files over the limit, with the lines they have now. The list and its numbers may only shrink. */
const tooLong: Readonly<Record<string, number>> = {};

function overLimit(path: string, lines: number, exceptions: Readonly<Record<string, number>>): string | null {
  const allowed = exceptions[path] ?? (path.endsWith('.test.ts') ? testLimit : limit);
  return lines > allowed ? `${path} has ${lines} lines, ${allowed} are allowed` : null;
}

const sayNothing =
  /(^|\/)(utils?|helpers?|common|misc|types|interfaces?|managers?|shared|lib|base-[^/]*|v\d+)(\/|\.(ts|mjs|sql)$)/;

test('files are short enough to read at once', () => {
  const long = sourceFiles().flatMap(({ path, text }) => overLimit(path, lineCount(text), tooLong) ?? []);
  assert.deepEqual(long, [], 'Give a part of it a name and a file of its own.');
});

test('an exception that is no longer needed leaves the list', () => {
  const lines = new Map(sourceFiles().map(({ path, text }) => [path, lineCount(text)]));
  const stale = Object.keys(tooLong).filter((path) => (lines.get(path) ?? 0) <= limit);
  assert.deepEqual(stale, []);
  assert.ok(Object.keys(tooLong).length === 0, 'The list may only shrink.');
});

test('a file over the limit is found', () => {
  assert.match(overLimit('a/b.ts', 301, {}) ?? '', /301 lines, 300/);
  assert.equal(overLimit('a/b.ts', 300, {}), null);
  assert.equal(overLimit('a/b.test.ts', 500, {}), null);
  assert.match(overLimit('a/b.test.ts', 501, {}) ?? '', /500/);
  assert.match(overLimit('a/c.ts', 330, { 'a/c.ts': 320 }) ?? '', /320/);
});

test('names say what is inside', () => {
  const empty = houseFiles().filter(({ path }) => sayNothing.test(path));
  assert.deepEqual(
    empty.map(({ path }) => path),
    [],
  );
  const samples = ['a/utils.ts', 'a/helpers/b.ts', 'src/types.ts', 'a/common/b.ts', 'a/base-store.ts', 'a/v2/b.ts'];
  for (const path of samples) assert.match(path, sayNothing);
  assert.doesNotMatch('server/src/platform/clock.ts', sayNothing);
});

test('the names of sources are words with dashes', () => {
  const odd = sourceFiles()
    .filter(({ path }) => /^(contracts|server|sdk|cli|scripts|tests|bench)\//.test(path))
    .filter(({ path }) => !/^[a-z0-9/-]+(\.deep)?(\.test)?\.(ts|mjs)$/.test(path));
  assert.deepEqual(
    odd.map(({ path }) => path),
    [],
  );
});

test('migrations are numbered without a gap', () => {
  const folders = new Map<string, string[]>();
  for (const { path } of houseFiles()) {
    const match = /^(.+\/migrations)\/([^/]+)$/.exec(path);
    if (match) folders.set(match[1] as string, [...(folders.get(match[1] as string) ?? []), match[2] as string]);
  }
  assert.ok(folders.size > 0);
  for (const [folder, names] of folders) {
    names.sort().forEach((name, index) => {
      assert.match(name, /^\d{4}_[a-z0-9-]+(\.contract)?\.sql$/, `${folder}/${name}`);
      assert.equal(Number(name.slice(0, 4)), index + 1, `${folder}/${name} is out of line`);
    });
  }
});

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
