import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCost, formatDuration, formatNumber, formatSum } from './figures.ts';

test('a cost keeps every millionth, and an unknown one is not nothing', () => {
  const shown = [null, 0, 1, 1_234, 120_000, 250_000, 1_000_000, 12_345_678].map(formatCost);
  assert.deepEqual(shown, ['unknown', '$0', '$0.000001', '$0.001234', '$0.12', '$0.25', '$1.00', '$12.345678']);
});

test('durations, sizes and counts read as a person says them', () => {
  assert.deepEqual([null, 0.4, 999.6, 1_250, 61_000, 125_000].map(formatDuration), [
    '-',
    '0 ms',
    '1000 ms',
    '1.3 s',
    '61.0 s',
    '2 min 5 s',
  ]);
  assert.deepEqual([12, 2_048, 5_452_595].map(formatBytes), ['12 B', '2 KiB', '5.2 MiB']);
  assert.deepEqual(
    [formatNumber(1, 'strategy'), formatNumber(2, 'strategy'), formatNumber(0, 'run')],
    ['1 strategy', '2 strategies', '0 runs'],
  );
});

test('what many runs cost says where prices are not known', () => {
  assert.equal(formatSum(1_200_000, 0), '$1.20');
  assert.equal(formatSum(0, 0), '$0');
  assert.equal(formatSum(1_200_000, 3), '$1.20 and more');
  assert.equal(formatSum(0, 3), 'unknown');
});
