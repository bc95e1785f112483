import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatternVersion } from '@damask/sdk';
import { drawChain } from './draw-chain.ts';

type Step = PatternVersion['steps'][number];

const step = (name: string, needs: readonly string[] = [], more: Partial<Step> = {}): Step => ({
  name,
  pattern: 'summarize',
  version: null,
  label: null,
  needs: [...needs],
  input: ['$input'],
  variables: {},
  when: [],
  for_each: null,
  max_items: 100,
  parallel: 5,
  map_reduce: null,
  retry: { times: 0, wait_ms: 1000 },
  timeout_ms: null,
  on_error: 'fail',
  approval: null,
  model: null,
  parameters: {},
  ...more,
});
const railsOf = (steps: readonly Step[]) =>
  drawChain(steps, undefined).map((line) => line.split(/ {2,}\w/)[0]?.trimEnd());

test('a chain is drawn with what each step does', () => {
  const steps = [
    step('outline', [], { version: 3, retry: { times: 2, wait_ms: 1 } }),
    step('parts', ['outline'], { for_each: '$steps.outline.data.parts', on_error: 'skip' }),
    step('ok', ['parts'], {
      pattern: null,
      approval: { message: ['Publish\nthis?'], timeout_seconds: 60, on_timeout: 'reject' },
    }),
    step('last', ['ok'], { when: [{ ref: '$input', test: 'not_equals', value: 'x' }], label: 'best' }),
  ];
  assert.deepEqual(drawChain(steps, '$steps.last.output'), [
    '●  outline  summarize@3, tried 3 times',
    '●  parts    summarize, for each of $steps.outline.data.parts, left out when it fails, ← outline',
    '●  ok       asks a person: Publish this?, ← parts',
    '●  last     summarize@best, if $input not equals x, ← ok',
    'answers $steps.last.output',
  ]);
});

test('rails split, run beside each other, and come together', () => {
  assert.deepEqual(railsOf([step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])]), [
    '●',
    '├─╮',
    '│ ●',
    '● │',
    '├─╯',
    '●',
  ]);
  assert.deepEqual(railsOf([step('a'), step('b'), step('c'), step('d', ['a', 'b', 'c'])]), [
    '●',
    '│ ●',
    '│ │ ●',
    '├─┴─╯',
    '●',
  ]);
  assert.deepEqual(railsOf([step('a'), step('b'), step('c', ['a'])]), ['●', '│ ●', '●']);
  assert.deepEqual(railsOf([step('a'), step('b'), step('c', ['b']), step('d', ['a', 'b', 'c'])]).length, 6);
});
