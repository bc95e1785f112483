import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, PlannedStep, Reference } from './chain-plan.ts';
import { combineItems, outcomeOfApproval, outcomeOfFailure } from './combine-outcomes.ts';
import { judgeWhen } from './judge-when.ts';
import { type ChainScope, resolveList, resolveReference, resolveText } from './resolve-reference.ts';
import { groupTexts, splitText } from './split-text.ts';
import { orderSteps, readySteps } from './step-order.ts';

const data = (step: string, ...path: (string | number)[]): Reference => ({ from: 'data', step, path });
const scope: ChainScope = {
  input: 'the input',
  variables: { tone: 'calm', __proto__: null as never },
  steps: new Map([
    ['list', { output: '{"a":[{"b":3}],"on":true}\n', data: { a: [{ b: 3 }], on: true } }],
    ['left', { output: null, data: { a: 1 } }],
    ['word', { output: ' yes\n' }],
  ]),
  item: { title: 'One' },
  index: 2,
};

test('references find what they name, and nothing else', () => {
  const found = (reference: Reference) => resolveReference(reference, scope);
  assert.equal(found({ from: 'input' }), 'the input');
  assert.equal(found({ from: 'variable', name: 'tone' }), 'calm');
  assert.equal(found({ from: 'variable', name: 'toString' }), undefined);
  assert.equal(found({ from: 'output', step: 'word' }), ' yes\n');
  assert.equal(found({ from: 'output', step: 'left' }), undefined);
  assert.equal(found(data('left', 'a')), undefined);
  assert.equal(found(data('list', 'a', 0, 'b')), 3);
  for (const path of [['a', 'length'], ['constructor'], ['__proto__'], ['a', 1, 'b'], ['a', '0'], [0], ['on', 'x']]) {
    assert.equal(found(data('list', ...path)), undefined, path.join('.'));
  }
  assert.equal(found({ from: 'item', path: ['title'] }), 'One');
  assert.equal(found({ from: 'index' }), 2);
});

test('a text leaves out what was skipped, and is nothing where all of it was', () => {
  const word: Reference = { from: 'output', step: 'word' };
  const left: Reference = { from: 'output', step: 'left' };
  assert.equal(resolveText([{ text: 'Say:' }, word, left, data('list', 'a')], scope), 'Say:\n\n yes\n\n\n[{"b":3}]');
  assert.equal(resolveText([{ text: 'Say:' }, left], scope), undefined);
  assert.equal(resolveText([{ text: 'Say.' }], scope), 'Say.');
  assert.equal(resolveText([], scope), '');
});

test('lists are told from nothing and from what is no list', () => {
  assert.deepEqual(resolveList(data('list', 'a'), scope), [{ b: 3 }]);
  assert.equal(resolveList(data('list', 'on'), scope), null);
  assert.equal(resolveList(data('left', 'a'), scope), undefined);
});

test('conditions compare texts and numbers, and do not hold for what is not there', () => {
  const judge = (ref: Reference, test: Condition['test'], value: Condition['value']) =>
    judgeWhen([{ ref, test, value }], scope);
  const number = data('list', 'a', 0, 'b');
  const nothing = data('list', 'none');
  assert.ok(judge({ from: 'output', step: 'word' }, 'equals', 'yes'));
  assert.ok(judge(number, 'equals', '3') && judge(data('list', 'on'), 'equals', 'true'));
  assert.ok(judge(number, 'above', 2.5) && !judge(number, 'above', 3) && judge(number, 'below', 4));
  assert.ok(!judge(nothing, 'below', 4) && !judge({ from: 'input' }, 'above', 0) && !judge(nothing, 'contains', 'x'));
  assert.ok(judge(nothing, 'exists', false) && judge(number, 'exists', true) && judge(nothing, 'not_equals', '3'));
  assert.ok(judge({ from: 'input' }, 'contains', 'put'));
  assert.ok(judgeWhen([], scope));
  assert.ok(
    !judgeWhen(
      [
        { ref: number, test: 'above', value: 0 },
        { ref: number, test: 'above', value: 9 },
      ],
      scope,
    ),
  );
});

test('parts of a text give it again, fit, and never cut a character', () => {
  const texts = [
    'One. Two! Three? Four.\n\nFive.\nSix seven eight nine ten.'.repeat(40),
    '😀'.repeat(501),
    `x${'😀'.repeat(501)}`,
    'word '.repeat(500),
    'y'.repeat(997),
    '一。二！三？'.repeat(200),
  ];
  for (const text of texts) {
    for (const size of [2, 3, 50, 99, 400, 5_000]) {
      const parts = splitText(text, { size, overlap: 0 });
      if (!parts) continue;
      const squeeze = (long: string) => (size < 50 ? long.replaceAll(/\s/g, '') : long);
      assert.equal(squeeze(parts.join('')), squeeze(text));
      assert.ok(
        parts.every((part) => part.isWellFormed() && part.length <= size),
        `${size}`,
      );
      const overlapping = splitText(text, { size, overlap: Math.floor(size / 3) }) ?? [];
      assert.ok(overlapping.every((part) => part.isWellFormed() && part.length <= size && text.includes(part)));
    }
  }
});

test('parts end at paragraphs, else at sentences, and repeat whole words', () => {
  assert.deepEqual(splitText('First one here.\n\nSecond one.', { size: 20, overlap: 0 }), [
    'First one here.\n\n',
    'Second one.',
  ]);
  assert.deepEqual(splitText('It is so. It was not so.', { size: 14, overlap: 0 }), ['It is so. ', 'It was not so.']);
  const [, second] = splitText('alpha beta gamma delta epsilon', { size: 17, overlap: 8 }) ?? [];
  assert.equal(second, 'gamma delta ');
  assert.deepEqual(splitText('  \n ', { size: 2, overlap: 0 }), []);
  assert.equal(splitText('x'.repeat(2_002), { size: 2, overlap: 0 }), undefined);
});

test('four million characters are split in a moment, whatever they are', () => {
  for (const unit of ['word ', '\n', '😀', 'x', '. ', ' ', '.)']) {
    const text = unit.repeat(Math.ceil(4_194_304 / unit.length));
    assert.ok(splitText(text, { size: 20_000, overlap: 9_000 }));
  }
});

test('merging ends: each round has at most half as many', () => {
  assert.deepEqual(groupTexts(['a', 'b', 'c', 'd'], 4), ['a\n\nb', 'c\n\nd']);
  assert.deepEqual(groupTexts(['a', 'b', 'c'], 100), ['a\n\nb\n\nc']);
  assert.deepEqual(groupTexts(['aaaaa', 'b', 'c'], 2), ['aaaaa\n\nb\n\nc']);
  assert.deepEqual(groupTexts(['a'], 1), ['a']);
  assert.ok(
    groupTexts(
      Array.from({ length: 999 }, () => 'x'.repeat(50)),
      10,
    ).length <= 500,
  );
});

test('steps are put in order, and a circle is named', () => {
  const step = (name: string, ...needs: string[]) => ({ name, needs });
  const names = (steps: ReturnType<typeof orderSteps>) =>
    'steps' in steps ? steps.steps.map(({ name }) => name).join(' ') : `circle ${steps.circle.join(' ')}`;
  assert.equal(names(orderSteps([step('c', 'b'), step('a'), step('b', 'a', 'ghost')])), 'a b c');
  assert.equal(names(orderSteps([step('a', 'c'), step('b', 'a'), step('c', 'b')])), 'circle a c b a');
  assert.equal(names(orderSteps([step('x'), step('a', 'a')])), 'circle a a');
});

test('a step is ready once all that it needs has ended', () => {
  const steps = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a'] },
    { name: 'c', needs: ['a', 'b'] },
  ] as unknown as PlannedStep[];
  const ready = (begun: string[], ended: string[]) =>
    readySteps(steps, new Set(begun), new Set(ended)).map(({ name }) => name);
  assert.deepEqual(ready([], []), ['a']);
  assert.deepEqual(ready(['a'], []), []);
  assert.deepEqual(ready(['a'], ['a']), ['b']);
});

test('items keep their places, and what failed or was rejected counts as the chain says', () => {
  assert.deepEqual(combineItems([{ output: 'a' }, { output: null }, { output: '1', data: 1 }]), {
    output: 'a\n\n1',
    data: ['a', null, 1],
  });
  assert.equal(outcomeOfFailure('fail'), undefined);
  assert.deepEqual(outcomeOfFailure('skip'), { output: null });
  assert.deepEqual(outcomeOfFailure({ output: 'none' }), { output: 'none' });
  const no = { decision: 'reject', comment: 'No.', by: 'Ada' } as const;
  assert.equal(outcomeOfApproval(no, 'fail'), undefined);
  assert.deepEqual(outcomeOfApproval(no, 'skip'), { output: 'No.', data: no });
});
