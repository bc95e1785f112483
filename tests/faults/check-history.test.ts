import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistory, type Evidence } from './check-history.ts';

const line = (input: string, system = 'one') => ({ input, worked: true, system });
const entry = (input: string, told: string | null = 'succeeded') =>
  ({ input, kind: 'sync', keyed: true, run: `run-${input}`, told }) as const;
const record = (input: string, status: string | null = 'succeeded', outcomes: readonly string[] = ['succeeded']) => ({
  ...{ run: `run-${input}`, input, pattern: 'echo', version: 1, status },
  attempts: outcomes.map((outcome) => ({ outcome })),
});
const chain = { ...record('c'), pattern: 'three', attempts: [] };

/** All is well: a run, a chain, a call that nobody knows the end of and its repetition, and one that a kill took with its record. */
const good: Evidence = {
  history: [entry('a'), entry('b'), entry('c', null), { ...entry('gone', null), keyed: false, run: null }],
  ledger: ['a', 'b', 'b', 'c', 'echo c', 'echo echo c', 'gone'].map((input) => line(input)),
  records: [record('a'), record('b', 'succeeded', ['uncertain', 'succeeded']), chain],
  uncertainSteps: new Map(),
  seen: new Map([['run-a', 'succeeded']]),
  left: { 'work that is left': 0 },
  spentTokens: 25,
  outputs: new Map([
    ['run-a', 'echo a'],
    ['run-c', 'echo echo echo c'],
  ]),
};

test('a history in which every promise is kept breaks none', () => {
  const { broken, lost, paidTwice, uncertain, shadowCalls } = checkHistory(good);
  assert.deepEqual([broken, lost, paidTwice, uncertain, shadowCalls], [[], 0, 0, 1, 1]);
});

const without = (input: string) => good.records.filter((found) => found.input !== input);
const wrong: readonly (readonly [string, Partial<Evidence>, RegExp])[] = [
  ['an accepted run without a record', { records: without('a') }, /^I1 a .*no record/],
  ['a run without an end', { records: [...without('a'), record('a', null)] }, /^I1 a .*no end/],
  ['a refused run that was run', { history: [...good.history, { ...entry('a', 'refused'), run: null }] }, /^I2 a/],
  ['another end than was told', { records: [...without('a'), record('a', 'failed')] }, /^I3 a/],
  ['an end that changed', { seen: new Map([['run-a', 'failed']]) }, /^I3 run-a/],
  ['a call that was paid twice in silence', { ledger: [...good.ledger, line('a')] }, /^I4 a: 2 calls, 0/],
  ['a step that was called again', { ledger: [...good.ledger, line('echo c')] }, /^I4 echo c: 2 calls/],
  ['a success without a call', { ledger: good.ledger.slice(1) }, /^I4 run-a: succeeded without a call/],
  ['a call without a record', { ledger: [...good.ledger, line('other')] }, /^I4 other: 1 calls, and no record/],
  ['an answer of another run', { outputs: new Map([['run-a', 'echo b']]) }, /^I5 a/],
  ['calls that no budget counted', { spentTokens: 24 }, /^I7 .* 24 tokens of 25/],
  ['a key with two runs', { records: [...good.records, { ...record('a'), run: 'run-other' }] }, /^I8 a: has 2/],
  ['two texts under one version', { ledger: [line('a', 'two'), ...good.ledger.slice(1)] }, /^I9 /],
  ['work that is left over', { left: { 'work that is left': 1 } }, /^I13 work that is left: 1/],
];
for (const [what, change, promise] of wrong) {
  test(`${what} breaks a promise`, () => {
    assert.match(checkHistory({ ...good, ...change }).broken.join('\n'), new RegExp(promise.source, 'm'));
  });
}
