import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closestName } from './closest-name.ts';

test('a slip of the finger is recognised, another word is not', () => {
  const names = ['summarize', 'create_tags', 'run', 'runs'];
  assert.equal(closestName('sumarize', names), 'summarize');
  assert.equal(closestName('summraize', names), 'summarize');
  assert.equal(closestName('craete_tag', names), 'create_tags');
  assert.equal(closestName('rn', names), 'run');
  assert.equal(closestName('translate', names), undefined);
  assert.equal(closestName('x', []), undefined);
});
