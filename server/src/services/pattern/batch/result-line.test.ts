import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ResultLine, toCsvLine, toJsonLine } from './result-line.ts';

const line: ResultLine = {
  ...{ line: 1, status: 'succeeded', output: '', error: null, run: null, model: null },
  ...{ input_tokens: null, output_tokens: null, cost_micros: null, metadata: {} },
};

test('X-10: no cell of a CSV is taken for a formula, and JSON lines hold every text byte for byte', () => {
  for (const begin of ['=', '+', '-', '@', '\t', '\r', '\n', ' =', '\u00a0=', '＝', '＋', '－', '＠']) {
    const text = `${begin}HYPERLINK("http://evil.example","x")`;
    const csv = toCsvLine({ ...line, output: text, error: { code: text, detail: text }, model: text });
    for (const cell of csv.split(/,(?="|$)/).filter((one) => one.includes('HYPERLINK'))) {
      assert.ok(cell.startsWith(`"'${begin}`), JSON.stringify(cell));
    }
    assert.equal(csv.match(/"'/g)?.length, 4, csv);
    assert.equal(JSON.parse(toJsonLine({ ...line, output: text })).output, text);
  }
  assert.equal(toCsvLine({ ...line, output: 'plain = text' }).split(',')[2], 'plain = text');
  const metadata = toCsvLine({ ...line, metadata: { a: '=1' } });
  assert.ok(metadata.includes('"{""a"":""=1""}"'));
});
