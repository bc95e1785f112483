import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AppError } from '#platform/app-error.ts';
import { libraryForTests } from '../library/library-for-tests.ts';
import { createLibraryTable } from '../library/library-table.ts';

const { library, database, log, alpha, beta, leftBy, stop } = await libraryForTests();
after(stop);

const coded = (code: string, pointer?: string) => (error: unknown) =>
  (error as AppError).code === code && (pointer === undefined || (error as AppError).details.pointer === pointer);
const file = (path: string, content: string) => ({ path, content });

test('two versions are compared: files line by line, settings by name', async () => {
  await library.createPattern(alpha(), {
    name: 'compared',
    files: [
      file('README.md', 'old\n'),
      file('pattern.yaml', 'title: A\nparameters: {temperature: 0.3, seed: 1}\nvariables: {tone: {default: dry}}\n'),
      file('system.md', 'One.\nTwo {{tone}}.\n'),
    ],
  });
  await library.publishVersion(alpha(), {
    pattern: 'compared',
    files: [
      file('examples/a.md', 'An input.\n'),
      file(
        'pattern.yaml',
        'title: A\nparameters: {temperature: 0.7}\nvariables: {tone: {default: warm}}\noutput: {max_characters: 9}\n',
      ),
      file('system.md', 'One.\nThree {{tone}}.\n'),
    ],
    message: 'warmer',
  });
  const diff = await library.diffVersions(alpha(), { pattern: 'compared' });
  assert.deepEqual([diff.from, diff.to], [1, 2]);
  assert.deepEqual(
    diff.files.map(({ path, change, added, removed }) => [path, change, added, removed]),
    [
      ['README.md', 'removed', 0, 1],
      ['examples/a.md', 'added', 1, 0],
      ['pattern.yaml', 'changed', 3, 2],
      ['system.md', 'changed', 1, 1],
    ],
  );
  assert.equal(
    diff.files[3]?.diff,
    '--- a/system.md\n+++ b/system.md\n@@ -1,2 +1,2 @@\n One.\n-Two {{tone}}.\n+Three {{tone}}.\n',
  );
  assert.deepEqual(diff.settings, [
    { field: 'description', before: '"One. Two {{tone}}."', after: '"One. Three {{tone}}."' },
    { field: 'output.max_characters', before: null, after: '9' },
    { field: 'parameters.seed', before: '1', after: null },
    { field: 'parameters.temperature', before: '0.3', after: '0.7' },
    {
      field: 'variables.tone',
      before: '{"type":"string","default":"dry","declared":true,"required":false}',
      after: '{"type":"string","default":"warm","declared":true,"required":false}',
    },
  ]);
  const back = await library.diffVersions(alpha(), { pattern: 'compared', from: 2, to: 1 });
  assert.equal(back.settings[2]?.after, '1');
  const same = await library.diffVersions(alpha(), { pattern: 'compared', from: 2, to: 2 });
  assert.deepEqual([same.files, same.settings], [[], []]);
});

test('a version that is not there, and a pattern of another workspace, cannot be compared', async () => {
  await library.createPattern(alpha(), { name: 'alone', system: 'One.' });
  await assert.rejects(library.diffVersions(alpha(), { pattern: 'alone' }), coded('not_found', '/from'));
  await assert.rejects(library.diffVersions(alpha(), { pattern: 'alone', from: 1, to: 9 }), coded('not_found'));
  await assert.rejects(library.diffVersions(beta(), { pattern: 'alone', from: 1, to: 1 }), coded('not_found'));
});

test('versions tell who published them and why', async () => {
  await library.createPattern(alpha(), { name: 'signed', system: 'One.', message: 'first' });
  const { items } = await library.listVersions(alpha(), { pattern: 'signed' });
  assert.deepEqual([items[0]?.author, items[0]?.message], ['alpha', 'first']);
  assert.equal(items[0]?.created_by, alpha().actor.id);
});

test('every move of a label is kept: who, from where to where, when', async () => {
  await library.createPattern(alpha(), { name: 'labelled', system: 'One.' });
  await library.publishVersion(alpha(), { pattern: 'labelled', system: 'Two.' });
  const set = (label: string, version: number) => library.setLabel(alpha(), { pattern: 'labelled', label, version });
  await set('production', 1);
  await set('production', 1);
  await set('staging', 2);
  await set('production', 2);
  await library.removeLabel(alpha(), { pattern: 'labelled', label: 'production' });
  const all = await library.listLabelMoves(alpha(), { pattern: 'labelled' });
  assert.deepEqual(
    all.items.map(({ label, before, after: now, author }) => [label, before, now, author]),
    [
      ['production', 2, null, 'alpha'],
      ['production', 1, 2, 'alpha'],
      ['staging', null, 2, 'alpha'],
      ['production', null, 1, 'alpha'],
    ],
  );
  const one = await library.listLabelMoves(alpha(), { pattern: 'labelled', label: 'production', limit: 2 });
  assert.equal(one.items.length, 2);
  const rest = await library.listLabelMoves(alpha(), {
    pattern: 'labelled',
    label: 'production',
    limit: 2,
    cursor: one.next as string,
  });
  assert.deepEqual([rest.items.length, rest.items[0]?.after, rest.next], [1, 1, undefined]);
  await assert.rejects(
    library.listLabelMoves(alpha(), { pattern: 'labelled', cursor: one.next as string }),
    coded('invalid_cursor'),
  );
  await assert.rejects(library.listLabelMoves(beta(), { pattern: 'labelled' }), coded('not_found'));
});

test('a pattern is deprecated with a successor, is listed so, runs on, and is taken back', async () => {
  await library.createPattern(alpha(), { name: 'old_way', system: 'Old.' });
  await library.createPattern(alpha(), { name: 'new_way', system: 'New.' });
  const caller = alpha();
  const deprecated = await library.deprecatePattern(caller, {
    pattern: 'old_way',
    successor: 'new_way',
    message: 'Shorter.',
  });
  assert.deepEqual([deprecated.deprecated?.successor, deprecated.deprecated?.message], ['new_way', 'Shorter.']);
  assert.deepEqual(await leftBy(caller), {
    audit: [{ action: 'deprecatePattern', subject: 'pattern/old_way', details: { successor: 'new_way' } }],
    events: [{ name: 'pattern.pattern-deprecated', data: { pattern: 'old_way', successor: 'new_way' } }],
  });
  const again = alpha();
  await library.deprecatePattern(again, { pattern: 'old_way', successor: 'new_way', message: 'Shorter.' });
  assert.deepEqual(await leftBy(again), { audit: [], events: [] });
  const { items } = await library.listPatterns(alpha(), { search: 'old_way' });
  assert.deepEqual(items[0]?.deprecated, deprecated.deprecated);
  const table = createLibraryTable({ database, log });
  await table.load();
  assert.deepEqual(table.find(alpha().workspace, 'old_way')?.deprecated, deprecated.deprecated);
  const lifting = alpha();
  assert.equal((await library.liftDeprecation(lifting, { pattern: 'old_way' })).deprecated, null);
  assert.deepEqual((await leftBy(lifting)).events, [
    { name: 'pattern.deprecation-lifted', data: { pattern: 'old_way' } },
  ]);
  await table.load();
  assert.equal(table.find(alpha().workspace, 'old_way')?.deprecated, null);
  await assert.rejects(library.liftDeprecation(alpha(), { pattern: 'old_way' }), coded('not_found'));
});

test('a successor must be there and must not lead back', async () => {
  for (const name of ['dep_a', 'dep_b', 'dep_c']) await library.createPattern(alpha(), { name, system: 'x' });
  const put = (pattern: string, successor: string) => library.deprecatePattern(alpha(), { pattern, successor });
  await assert.rejects(put('dep_a', 'dep_a'), /leads back: dep_a → dep_a/);
  await assert.rejects(put('dep_a', 'nowhere'), coded('invalid_request', '/successor'));
  await put('dep_a', 'dep_b');
  await put('dep_b', 'dep_c');
  await assert.rejects(put('dep_c', 'dep_a'), /leads back: dep_c → dep_a → dep_b → dep_c/);
  await assert.rejects(library.deprecatePattern(beta(), { pattern: 'dep_a' }), coded('not_found'));
});

test('who edited a version that is not the newest any more is told', async () => {
  await library.createPattern(alpha(), { name: 'based', system: 'One.' });
  const publish = (system: string, base_version: number) =>
    library.publishVersion(alpha(), { pattern: 'based', system, base_version });
  assert.equal((await publish('Two.', 1)).version, 2);
  const caller = alpha();
  await assert.rejects(
    library.publishVersion(caller, { pattern: 'based', system: 'Three.', base_version: 1 }),
    coded('version_conflict', '/base_version'),
  );
  assert.deepEqual(await leftBy(caller), { audit: [], events: [] });
  // Of ten that edited the same version, one wins.
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => publish(`Three ${index}.`, 2)));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
});
