import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsBeside, wrap } from './cells-beside.ts';
import { displayWidth } from './table.ts';

test('lines break between words, long words are cut, and no line is too wide', () => {
  assert.deepEqual(wrap('- one two three', 7), ['- one', 'two', 'three']);
  assert.deepEqual(wrap('', 7), ['']);
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  for (const text of ['漢字仮名交じり文 and more', 'a  b   c     d', '\tindented text', 'x'.repeat(50)]) {
    for (let width = 2; width < 20; width++) {
      for (const line of wrap(text, width))
        assert.ok(displayWidth(line) <= width, `${JSON.stringify(line)} at ${width}`);
    }
  }
});

test('texts stand in columns of the same width', () => {
  assert.equal(cellsBeside(['one\ntwo', 'three four'], 5, '|'), 'one  |three\ntwo  |four');
});
