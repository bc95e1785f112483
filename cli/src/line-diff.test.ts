import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DiffLine, diffLines } from './line-diff.ts';

const side = (lines: readonly DiffLine[], without: string) =>
  lines.filter(({ kind }) => kind !== without).map(({ text }) => text);
const changes = (lines: readonly DiffLine[]) => lines.filter(({ kind }) => kind !== ' ').length;

test('a difference leads from one text to the other, with as few lines as can be', () => {
  const cases = [
    ['', '', 0],
    ['', 'a b', 2],
    ['a b c', 'a c', 1],
    ['a b c a b b a', 'c b a b a c', 5],
    ['x a b c y', 'x c b a y', 4],
    ['a a a', 'a a a a', 1],
  ] as const;
  for (const [a, b, least] of cases) {
    const [before, after] = [a, b].map((text) => (text === '' ? [] : text.split(' '))) as [string[], string[]];
    const lines = diffLines(before, after);
    assert.deepEqual([side(lines, '+'), side(lines, '-'), changes(lines)], [before, after, least], `${a} | ${b}`);
  }
});

test('it holds for any two texts, and a text that was rewritten costs little', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const text = (length: number) => Array.from({ length }, () => 'abc'[random(3)] as string);
  for (let i = 0; i < 300; i++) {
    const [before, after] = [text(random(12)), text(random(12))];
    const lines = diffLines(before, after);
    assert.deepEqual([side(lines, '+'), side(lines, '-')], [before, after]);
  }
  const [before, after] = ['a', 'b'].map((mark) => Array.from({ length: 20_000 }, (_, i) => `${mark}${i}`));
  assert.equal(changes(diffLines(before as string[], after as string[])), 40_000);
});
