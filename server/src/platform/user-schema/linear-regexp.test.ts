import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLinearRegexp } from './linear-regexp.ts';

test('patterns fit what the language itself says that they fit', () => {
  const patterns = [
    'abc',
    '^abc$',
    'a|b|',
    '(?:ab)+',
    '(ab|c){2,3}$',
    'a{0}b',
    '^a{2,}$',
    '[^a-c]x',
    '\\d{3}-\\d+',
    '^\\w+@\\w+\\.\\w{2,}$',
    '.',
    '^.$',
    '^$',
    '\\bword\\b',
    'a\\Bb',
    '\\u{1F44B}',
    '\\uD83D\\uDC4B',
    '\\p{Lu}\\p{Ll}*',
    '[\\]\\-x]',
    '(?<year>\\d{4})',
    'a.*b.*c',
    '(a*)*b',
    '(|a)+$',
    '^(a|ab)(c|bcd)$',
    '\\x41\\t',
    'x??y',
    '\\.',
    '\\/',
    '^[👋-👏]$',
    '[^\\s]+$',
    '',
  ];
  const texts = [
    '',
    'a',
    'abc',
    'xabcx',
    'ab',
    'abab',
    'abcab',
    'b',
    'aa',
    'aaa',
    'dx',
    'ax',
    '123-4',
    'me@you.org',
    'a word here',
    'swords',
    '👋',
    '👌',
    'Grüße',
    ']',
    '-',
    '2024',
    'a-b-c',
    'a\nb',
    'abcd',
    'abcbcd',
    'A\t',
    'y',
    'xy',
    '.',
    '/',
    ' ',
    '\u2028',
    'aaaaab',
  ];
  for (const source of patterns) {
    const ours = createLinearRegexp(source);
    for (const text of texts)
      assert.equal(ours.test(text), new RegExp(source, 'u').test(text), `${source} on ${JSON.stringify(text)}`);
  }
});

test('random patterns fit what the language says that they fit', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const pick = (choices: readonly string[]) => choices[random(choices.length)] as string;
  const make = (depth: number): string => {
    if (depth === 0) return pick(['a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '^', '$', '\\b']);
    const inner = () => make(depth - 1);
    const atom = pick(['a', '[bc]', `(?:${inner()})`, `(${inner()})`]);
    return pick([
      `${inner()}${inner()}`,
      `(?:${inner()}|${inner()})`,
      `${atom}*`,
      `${atom}+?`,
      `${atom}?`,
      `${atom}{1,2}`,
      `${atom}{2}`,
    ]);
  };
  for (let round = 0; round < 1_500; round++) {
    const source = make(3);
    const ours = createLinearRegexp(source);
    const theirs = new RegExp(source, 'u');
    for (let i = 0; i < 4; i++) {
      const text = Array.from({ length: random(7) }, () => pick(['a', 'b', 'c', '\n'])).join('');
      assert.equal(ours.test(text), theirs.test(text), `${source} on ${JSON.stringify(text)}`);
    }
  }
});

test('what takes other engines for ever takes this one a moment', () => {
  for (const source of [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(x+x+)+y',
    '((((){1000}){1000}){1000}){1000}b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ]) {
    assert.equal(createLinearRegexp(source).test(`${'a'.repeat(5_000)}!`), false);
  }
});

test('what cannot be done in linear time, is too large or is no pattern is said', () => {
  assert.throws(() => createLinearRegexp('(?=a)'), /looks ahead/);
  assert.throws(() => createLinearRegexp('(?<!a)b'), /looks ahead or behind/);
  assert.throws(() => createLinearRegexp('(a)\\1'), /refers back/);
  assert.throws(() => createLinearRegexp('(?<n>a)\\k<n>'), /refers back/);
  assert.throws(() => createLinearRegexp('((a{100}){100}){100}'), /too large/);
  assert.throws(() => createLinearRegexp('a{1001}'), /1000 times/);
  assert.throws(() => createLinearRegexp('(a'), /Unterminated|Invalid/);
  assert.throws(() => createLinearRegexp(`${'('.repeat(60)}a${')'.repeat(60)}`), /too deeply/);
  assert.throws(() => createLinearRegexp('a'.repeat(1_001)), /1000 characters/);
});
