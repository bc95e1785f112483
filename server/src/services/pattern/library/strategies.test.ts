import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { libraryForTests } from './library-for-tests.ts';

const { library, alpha, beta, leftBy, topic, stop } = await libraryForTests();
after(stop);

const coded = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('a strategy is put, replaced and put again without a trace', async () => {
  const caller = alpha();
  const put = await library.putStrategy(caller, { strategy: 'think', description: 'Slow', prompt: 'Think.\n' });
  assert.deepEqual(
    { ...put, updated_at: '' },
    { name: 'think', description: 'Slow', prompt: 'Think.\n', updated_at: '' },
  );
  assert.deepEqual(await library.readStrategy(alpha(), { strategy: 'think' }), put);
  const { audit, events } = await leftBy(caller);
  assert.deepEqual(
    audit.map(({ action, subject }) => [action, subject]),
    [['putStrategy', 'strategy/think']],
  );
  assert.ok(!JSON.stringify(audit).includes('Think'));
  assert.deepEqual(events, [{ name: 'pattern.strategy-put', data: { strategy: 'think' } }]);

  const before = await topic();
  const again = alpha();
  assert.deepEqual(
    await library.putStrategy(again, { strategy: 'think', description: 'Slow', prompt: 'Think.\n' }),
    put,
  );
  assert.deepEqual(await leftBy(again), { audit: [], events: [] });
  assert.equal(await topic(), before);
  assert.equal((await library.putStrategy(alpha(), { strategy: 'think', prompt: 'Harder.' })).description, '');
  assert.equal(await topic(), before + 1);
});

test('a deleted strategy is gone and can be put anew', async () => {
  await library.putStrategy(alpha(), { strategy: 'gone', prompt: 'One.' });
  const caller = alpha();
  assert.equal((await library.deleteStrategy(caller, { strategy: 'gone' })).prompt, 'One.');
  assert.deepEqual(await leftBy(caller), {
    audit: [{ action: 'deleteStrategy', subject: 'strategy/gone', details: {} }],
    events: [{ name: 'pattern.strategy-deleted', data: { strategy: 'gone' } }],
  });
  await assert.rejects(library.readStrategy(alpha(), { strategy: 'gone' }), coded('not_found'));
  await assert.rejects(library.deleteStrategy(alpha(), { strategy: 'gone' }), coded('not_found'));
  await library.putStrategy(alpha(), { strategy: 'gone', prompt: 'One.' });
  assert.equal((await library.readStrategy(alpha(), { strategy: 'gone' })).prompt, 'One.');
});

test('bad names and empty prompts are refused', async () => {
  for (const input of [
    { strategy: '../x', prompt: 'x' },
    { strategy: 'x', prompt: '' },
    { strategy: 'x', prompt: 'x'.repeat(65_537) },
    { strategy: 'x' },
  ]) {
    await assert.rejects(library.putStrategy(alpha(), input as never), coded('invalid_request'));
  }
});

test('many at once under one name leave one of them', async () => {
  const prompts = Array.from({ length: 8 }, (_, index) => `Prompt ${index}.`);
  await Promise.all(prompts.map((prompt) => library.putStrategy(alpha(), { strategy: 'race', prompt })));
  assert.ok(prompts.includes((await library.readStrategy(alpha(), { strategy: 'race' })).prompt));
});

test('strategies are listed by name, page by page, for their own workspace', async () => {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await library.listStrategies(alpha(), { limit: 1, ...(cursor && { cursor }) });
    seen.push(...page.items.map(({ name }) => name));
    cursor = page.next;
  } while (cursor);
  assert.deepEqual(seen, ['gone', 'race', 'think']);
  assert.deepEqual(await library.listStrategies(beta(), {}), { items: [] });
  await assert.rejects(library.readStrategy(beta(), { strategy: 'think' }), coded('not_found'));
  await assert.rejects(library.deleteStrategy(beta(), { strategy: 'think' }), coded('not_found'));
});
