import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRowCount, shiftColumn } from './table-rows.ts';

/** The same text cut in every way that matters: small pieces that end anywhere. */
async function* pieces(text: string, length: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function shifted(text: string, column: number, by: bigint, length: number) {
  const found: Buffer[] = [];
  for await (const piece of shiftColumn(pieces(text, length), column, by)) found.push(piece);
  return Buffer.concat(found).toString();
}

test('one column of each row is moved, wherever the bytes are cut', async () => {
  const rows = 'a\t100\tx\\n\\ty\nb\\tü\t\\N\tx\nc\t7\t\n';
  for (let length = 1; length <= rows.length + 1; length++) {
    assert.equal(await shifted(rows, 1, 50n, length), 'a\t50\tx\\n\\ty\nb\\tü\t\\N\tx\nc\t-43\t\n');
  }
});

test('the first and the last column can be moved, also below zero and again', async () => {
  assert.equal(await shifted('5\ta\n6\tb\n', 0, 10n, 3), '-5\ta\n-4\tb\n');
  assert.equal(await shifted('a\t-5\nb\t-4\n', 1, 10n, 3), 'a\t-15\nb\t-14\n');
  assert.equal(await shifted('9223372036854775807\n', 0, 1n, 4), '9223372036854775806\n');
});

test('half a row at the end is an error', async () => {
  await assert.rejects(shifted('1\n2', 0, 1n, 10), /middle of a row/);
});

test('rows are counted and digested whatever the pieces are', async () => {
  const text = 'a\\nb\tc\nd\n\n';
  const sums = [];
  for (const length of [1, 2, 5, 100]) {
    const count = createRowCount();
    for await (const piece of pieces(text, length)) count.add(piece);
    sums.push(count.end());
  }
  assert.equal(new Set(sums.map(({ sha256 }) => sha256)).size, 1);
  for (const { rows, bytes } of sums) assert.deepEqual([rows, bytes], [3, Buffer.byteLength(text)]);
});
