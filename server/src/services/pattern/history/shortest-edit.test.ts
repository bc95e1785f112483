import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../template/hostile-text.ts';
import { shortestEdit } from './shortest-edit.ts';
import { unifiedDiff } from './unified-diff.ts';

/** The number of changes that the textbook's table needs. */
function fewestChanges(before: readonly string[], after: readonly string[]): number {
  const row = Array.from({ length: after.length + 1 }, (_, index) => index);
  for (const [i, line] of before.entries()) {
    let corner = row[0] as number;
    row[0] = i + 1;
    for (const [j, other] of after.entries()) {
      const next = row[j + 1] as number;
      row[j + 1] = line === other ? corner : Math.min(next, row[j] as number) + 1;
      corner = next;
    }
  }
  return row[after.length] as number;
}

test('random lists: the edit leads from one to the other, and no shorter one does', async () => {
  const random = seededRandom(11);
  const list = () =>
    Array.from({ length: Math.floor(random() * 14) }, () => 'abcd'[Math.floor(random() * 4)] as string);
  for (let round = 0; round < 3000; round++) {
    const [before, after] = [list(), list()];
    const edits = await shortestEdit(before, after);
    const side = (kind: string) => edits.filter((edit) => edit.kind !== kind).map(({ line }) => line);
    assert.deepEqual([side('+'), side('-')], [before, after]);
    assert.equal(edits.filter(({ kind }) => kind !== ' ').length, fewestChanges(before, after));
  }
});

test('a diff is written as diff -u writes it', async () => {
  const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12';
  const after = '1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n';
  assert.deepEqual(await unifiedDiff('system.md', before, after, 10_000), {
    path: 'system.md',
    change: 'changed',
    added: 2,
    removed: 2,
    diff:
      '--- a/system.md\n+++ b/system.md\n' +
      '@@ -2,11 +2,11 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n 10\n 11\n' +
      '-12\n\\ No newline at end of file\n+12\n',
    cut: false,
  });
  const added = await unifiedDiff('a.md', undefined, 'x\n', 1000);
  assert.deepEqual([added.change, added.diff], ['added', '--- /dev/null\n+++ b/a.md\n@@ -0,0 +1 @@\n+x\n']);
  const removed = await unifiedDiff('a.md', 'x\ny\n', undefined, 1000);
  assert.deepEqual([removed.change, removed.diff], ['removed', '--- a/a.md\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n']);
  const far = Array.from({ length: 30 }, (_, index) => `${index}\n`);
  const apart = far.map((line, index) => (index === 2 || index === 25 ? `new ${line}` : line));
  const { diff } = await unifiedDiff('a.md', far.join(''), apart.join(''), 1000);
  assert.deepEqual(diff.match(/^@@.*$/gm), ['@@ -1,6 +1,6 @@', '@@ -23,7 +23,7 @@']);
});

test('texts that have nothing in common, and very long ones, are answered within bounds', async () => {
  const lines = (mark: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${mark}${index}\n`).join('');
  const other = await unifiedDiff('a', lines('a', 9000), lines('b', 9000), 50_000);
  assert.deepEqual([other.added, other.removed, other.cut], [9000, 9000, true]);
  assert.ok(other.diff.length <= 50_000 && other.diff.endsWith('\n'));
  const long = await unifiedDiff('a', '\n'.repeat(1024 * 1024), 'x', 50_000);
  assert.deepEqual([long.diff, long.cut], ['', true]);
  const wide = await unifiedDiff('a', '😀'.repeat(500_000), '😀'.repeat(500_001), 50_000);
  assert.ok(wide.cut && wide.diff.isWellFormed());
});
