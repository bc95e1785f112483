import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { libraryForTests, longestHold } from '../library/library-for-tests.ts';
import { importTree } from './import-tree.ts';

const { library, parts, alpha, stop } = await libraryForTests();
after(stop);

const many = (text: string) =>
  Array.from({ length: 20_000 }, (_, index) => ({
    path: `patterns/p_${index}/system.md`,
    content: `# IDENTITY\n${text} ${index}`,
  }));

test('20,000 patterns in one import are all there, and nobody is held up for long', async (context) => {
  for (const [text, outcome] of [
    ['One', 'new'],
    ['One', 'same'],
    ['Two', 'changed'],
  ] as const) {
    const files = many(text);
    const held = await longestHold(async () => {
      const report = await importTree(parts, alpha(), { files });
      assert.deepEqual([...new Set(report.patterns.map((pattern) => pattern.outcome))], [outcome]);
      assert.equal(report.patterns.length, files.length);
    });
    context.diagnostic(`${outcome}: the event loop was held for ${held.toFixed(1)} ms at most`);
  }
  assert.equal((await library.readPattern(alpha(), { pattern: 'p_19999' })).version, 2);
});

test('a bad file among 20,000 is named with its place', async () => {
  const files = many('Three');
  files[12_345] = { path: 'patterns/../x', content: 'x' };
  await assert.rejects(importTree(parts, alpha(), { files }), {
    code: 'invalid_tree',
    details: {
      pointer: '/files/12345',
      problems: [{ pointer: '/files/12345', detail: '"patterns/../x": holds ".."' }],
    },
  });
});
