import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayWidth, renderTable } from './table.ts';

const columns = [{ title: 'ID' }, { title: 'NAME', least: 6 }, { title: 'COUNT', right: true, drop: 0 }] as const;
const rows = [
  ['0001', 'a long name indeed', '7'],
  ['0002', '日本語のパターン', '12'],
];
const plain = (_: string, text: string) => text;

test('a pipe gets all the room there is', () => {
  assert.equal(
    renderTable(columns, rows, undefined, plain),
    ['ID    NAME                COUNT', '0001  a long name indeed      7', '0002  日本語のパターン       12'].join(
      '\n',
    ),
  );
});

test('a narrow terminal cuts what may be cut, then leaves out what may be left out', () => {
  const width = (text: string) => Math.max(...text.split('\n').map(displayWidth));
  const cut = renderTable(columns, rows, 22, plain);
  assert.equal(width(cut), 22);
  assert.match(cut, /a long n…/);
  assert.match(cut, /日本語の… +12/);
  const dropped = renderTable(columns, rows, 17, plain);
  assert.doesNotMatch(dropped, /COUNT/);
  assert.ok(width(dropped) <= 17);
  assert.match(renderTable(columns, rows, 5, plain), /^ID/, 'too narrow for anything: it still prints');
});

test('colours do not count as width, and a cell stays on its line', () => {
  const text = renderTable(
    [{ title: 'A' }, { title: 'B' }],
    [[{ text: 'x\ny', style: 'red' }, 'z']],
    40,
    (style, part) => `<${style}>${part}</>`,
  );
  assert.equal(text, '<bold>A</>    <bold>B</>\n<red>x y</>  z');
});
