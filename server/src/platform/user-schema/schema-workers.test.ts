import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { createSchemaWorkers } from './schema-workers.ts';

const workers = createSchemaWorkers({ clock: systemClock });
after(() => workers.close());

test('texts are parsed and checked in another thread', async () => {
  const schema = { type: 'object', required: ['a'] };
  assert.deepEqual(await workers.check('{"a":[1]}', schema), { ok: true, data: { a: [1] } });
  assert.deepEqual(await workers.check('{}', schema), {
    ok: false,
    problems: [{ pointer: '/a', detail: 'is required' }],
  });
  assert.deepEqual(await workers.check('[1]', null), { ok: true, data: [1] });
  const deep = await workers.check(`${'['.repeat(5_000)}${']'.repeat(5_000)}`, null);
  assert.match(deep.ok ? '' : (deep.problems[0]?.detail ?? ''), /nested more than 100 deep/);
  const broken = await workers.check('{"a":', null);
  assert.match(broken.ok ? '' : (broken.problems[0]?.detail ?? ''), /^is not JSON/);
});

test('a check that takes too long ends without those beside it', async () => {
  // Long for its size, so that only the time limit can end it.
  const slow = { items: { pattern: '(a?){900}b' } };
  const texts = JSON.stringify(Array(2_000).fill('a'.repeat(2_000)));
  const [first, second] = await Promise.all([workers.check(texts, slow), workers.check('1', { type: 'integer' })]);
  assert.match(first.ok ? '' : (first.problems[0]?.detail ?? ''), /takes too much/);
  assert.deepEqual(second, { ok: true, data: 1 });
});

test('who comes too late or as one too many is told so', async () => {
  const few = createSchemaWorkers({ clock: systemClock, queue: 1 });
  const under = few.check('1', null);
  const waits = few.check('2', null);
  await assert.rejects(few.check('3', null), { code: 'overloaded' });
  assert.deepEqual(await Promise.all([under, waits]), [
    { ok: true, data: 1 },
    { ok: true, data: 2 },
  ]);
  await few.close();
  await assert.rejects(few.check('4', null), { code: 'unavailable' });
});
