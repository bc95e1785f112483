import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLineChunk, type StoredLine } from './line-chunk.ts';
import type { LineFault } from './line-fault.ts';
import { createLineReader, type ReadOptions } from './read-lines.ts';

const rules: ReadOptions['rules'] = {
  variables: [
    { name: 'tone', type: 'enum', values: ['calm', 'loud'], required: false, declared: true },
    { name: 'count', type: 'integer', required: true, declared: true },
  ],
  blankInput: false,
  inputCharacters: 1_000,
};
const noVariables = { ...rules, variables: [] };
const options: ReadOptions = { format: 'csv', rules, deterministic: false, lineLimit: 4_096, linesLimit: 1_000 };

function read(given: string | Buffer, changes: Partial<ReadOptions> = {}, step = 65_536) {
  const bytes = Buffer.from(given);
  const reader = createLineReader({ ...options, ...changes });
  const lines: StoredLine[] = [];
  const faults: LineFault[] = [];
  let fatal: LineFault | undefined;
  for (let at = 0; at <= bytes.length && !fatal; at += step) {
    const last = at + step > bytes.length;
    const piece = reader.take(bytes.subarray(at, at + step), last);
    for (const chunk of piece.chunks) lines.push(...readLineChunk(chunk.bytes));
    faults.push(...piece.faults);
    fatal = piece.fatal;
    if (last) break;
  }
  return { lines, faults, fatal };
}
const places = (faults: readonly LineFault[]) => faults.map(({ line, column }) => [line, column]);

test('CSV is read with quotes, commas and line ends in fields, BOM, CRLF and metadata', () => {
  const text =
    '\ufeffinput,count,tone,metadata.id\r\n"Hello, ""you""\r\nthere",1,calm,a1\r\n\r\nplain,2,,\r\n"",3,loud,x\r\nlast,4,"loud","b"';
  for (const step of [1, 2, 3, 7, 65_536]) {
    const { lines, faults, fatal } = read(text, {}, step);
    assert.equal(fatal, undefined);
    assert.deepEqual(lines, [
      { line: 2, input: 'Hello, "you"\r\nthere', variables: { count: '1', tone: 'calm' }, metadata: { id: 'a1' } },
      { line: 5, input: 'plain', variables: { count: '2' } },
      { line: 7, input: 'last', variables: { count: '4', tone: 'loud' }, metadata: { id: 'b' } },
    ]);
    assert.deepEqual(places(faults), [[6, 1]]);
    assert.match(faults[0]?.detail ?? '', /The input is empty/);
  }
});

test('a malformed record of CSV costs itself alone, and is told with line, column and reason', () => {
  const text = [
    'input,count',
    'stray "quote,1',
    'good,1',
    '"closed"x,1',
    'good,2',
    'one',
    'one,2,3',
    'good,3',
    'bad\0,4',
    'bad\rreturn,5',
    'good,many',
    'good,',
    'good,6',
    '"open,7',
    'never closed,8',
  ].join('\n');
  for (const step of [1, 5, 65_536]) {
    const { lines, faults } = read(text, {}, step);
    assert.deepEqual(
      lines.map(({ line }) => line),
      [3, 5, 8, 13],
    );
    assert.deepEqual(places(faults), [
      [2, 7],
      [4, 9],
      [6, 4],
      [7, 7],
      [9, 4],
      [10, 4],
      [11, 6],
      [12, 6],
      [14, 1],
    ]);
    const reasons = faults.map(({ detail }) => detail);
    assert.match(reasons[0] ?? '', /quote stands inside/);
    assert.match(reasons[1] ?? '', /After a closing quote/);
    assert.match(reasons[2] ?? '', /has fewer fields \(1\) than the header \(2\)/);
    assert.match(reasons[6] ?? '', /whole number/);
    assert.equal(faults[7]?.code, 'missing_variable');
    assert.match(reasons[8] ?? '', /does not close/);
  }
});

test('JSONL is read line by line; each bad line is told with its place', () => {
  const lines = [
    '{"input": "one", "variables": {"count": "1"}, "metadata": {"id": "x"}}',
    '',
    '{"input": "two", "variables": {"count": "2"}',
    '{"input": "a", "input": "b"}',
    '{"input": "a\\u0000"}',
    '{"input": "a", "variables": {"count": 3}}',
    '["input"]',
    '{"inptu": "a"}',
    '{"input": "a", "variables": {"count": "1", "nope": "x"}}',
    '{"input": "\\ud800"}',
    '{"input": "last", "variables": {"count": "9"}}',
  ];
  for (const end of ['\n', '\r\n']) {
    for (const step of [1, 11, 65_536]) {
      const { lines: good, faults } = read(lines.join(end), { format: 'jsonl' }, step);
      assert.deepEqual(good, [
        { line: 1, input: 'one', variables: { count: '1' }, metadata: { id: 'x' } },
        { line: 11, input: 'last', variables: { count: '9' } },
      ]);
      assert.deepEqual(places(faults), [
        [3, 45],
        [4, 16],
        [5, 2],
        [6, 30],
        [7, 1],
        [8, 2],
        [9, 44],
        [10, 2],
      ]);
      assert.match(faults[1]?.detail ?? '', /The line must be one JSON object: the key appears twice/);
      assert.equal(faults[6]?.pointer, '/variables/nope');
    }
  }
});

test('bytes that are not UTF-8 are told with the character at which they begin', () => {
  const broken = Buffer.concat([Buffer.from('input\n\ufffdä'), Buffer.from([0xc3, 0x28]), Buffer.from('\nfine\n')]);
  const { lines, faults } = read(broken, { rules: noVariables });
  assert.deepEqual(lines, [{ line: 3, input: 'fine' }]);
  assert.deepEqual(places(faults), [[2, 3]]);
});

test('a line beyond the limit is never held and does not shift the lines after it', () => {
  const long = 'x'.repeat(20_000);
  for (const step of [100, 65_536]) {
    const csv = read(`input\n${long}\nfine\n"${'y,""\n'.repeat(2_300)}"\nfine\n`, { rules: noVariables }, step);
    assert.deepEqual(csv.lines, [
      { line: 3, input: 'fine' },
      { line: 2_305, input: 'fine' },
    ]);
    assert.deepEqual(
      csv.faults.map(({ line, code }) => [line, code]),
      [
        [2, 'too_large'],
        [4, 'too_large'],
      ],
    );
    const jsonl = read(`{"input":"${long}"}\n{"input":"fine"}\n`, { format: 'jsonl', rules: noVariables }, step);
    assert.deepEqual(jsonl.lines, [{ line: 2, input: 'fine' }]);
    assert.deepEqual([jsonl.faults[0]?.line, jsonl.faults[0]?.code], [1, 'too_large']);
  }
});

test('what a long cell of CSV holds is never taken for records, nor what follows a quote that does not close', () => {
  const cell = `${'inner\n'.repeat(3_000)}`;
  for (const step of [1, 97, 65_536]) {
    const two = read(
      `input,metadata.id\n"a ""b""\n${cell}","c\n${cell}"\nfine,x\n"${cell}",1\nlast,y\n"never\n${cell}`,
      { rules: noVariables },
      step,
    );
    assert.deepEqual(
      two.lines.map(({ line, input }) => [line, input]),
      [
        [6_005, 'fine'],
        [9_007, 'last'],
      ],
    );
    assert.deepEqual(
      places(two.faults).map(([line]) => line),
      [2, 6_006, 9_008],
    );
  }
});

test('an upload that cannot be read at all is refused whole, with its reason', () => {
  const refused: readonly (readonly [string | Buffer, RegExp, Partial<ReadOptions>?])[] = [
    ['', /empty/],
    ['\ufeff', /empty/],
    ['\n\n\n', /empty/, { format: 'jsonl' }],
    ['input,count\n', /header and no line/],
    ['input,count,input\nx,1,y\n', /names the column "input" twice/],
    ['input,,count\nx,1,y\n', /column without a name/],
    ['input,cuont\nx,1\n', /"cuont", which the pattern does not know. It knows input, tone, count/],
    ['input;count\nx;1\n', /not separated by commas/],
    ['in"put\nx\n', /quote stands inside/],
    [Buffer.from([0x1f, 0x8b, 8, 0, 0]), /compressed/],
    [Buffer.from('PK\x03\x04rest'), /workbook/],
    [Buffer.from('\ufeffinput', 'utf16le'), /UTF-16/],
    [`input,count\n${'x,1\n'.repeat(1_001)}`, /more than 1000 lines/],
  ];
  for (const [given, reason, changes] of refused) {
    for (const step of [1, 65_536]) assert.match(read(given, changes, step).fatal?.detail ?? '', reason);
  }
});

test('identical lines name the first of them where the pattern is deterministic', () => {
  const text = 'input,tone\na,calm\nb,\na,calm\na,loud\nb,\n';
  const calm = { ...rules, variables: rules.variables.slice(0, 1) };
  const { lines } = read(text, { deterministic: true, rules: calm });
  assert.deepEqual(
    lines.map(({ line, same }) => [line, same]),
    [
      [2, undefined],
      [3, undefined],
      [4, 2],
      [5, undefined],
      [6, 3],
    ],
  );
});
