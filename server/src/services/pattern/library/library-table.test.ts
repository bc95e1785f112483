import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { watchTopics } from '#platform/topic.ts';
import { buildMessages } from './build-messages.ts';
import { libraryForTests } from './library-for-tests.ts';
import { libraryTopic } from './library-parts.ts';
import { createLibraryTable } from './library-table.ts';

const { library, parts, database, log, connection, alpha, beta, sql, stop } = await libraryForTests();
after(stop);

const textOf = (version: Parameters<typeof buildMessages>[0] | undefined) =>
  version && buildMessages(version, { input: 'in', now: 0 })[0]?.content;
const newTable = () => createLibraryTable({ database, log });
const { workspace } = alpha();

test('the first load holds newest and labelled versions, strategies, and nothing deleted', async () => {
  await library.createPattern(alpha(), { name: 'one', system: 'One, first.' });
  await library.publishVersion(alpha(), { pattern: 'one', system: 'One, second.' });
  await library.publishVersion(alpha(), {
    pattern: 'one',
    files: [
      { path: 'system.md', content: 'One, third, {{who}}.' },
      {
        path: 'pattern.yaml',
        content: 'model: local/m\nparameters: { seed: 7 }\nvariables: { who: { default: me } }\n',
      },
    ],
  });
  await library.setLabel(alpha(), { pattern: 'one', label: 'stable', version: 1 });
  await library.createPattern(alpha(), { name: 'gone', system: 'Gone.' });
  await library.deletePattern(alpha(), { pattern: 'gone' });
  await library.putStrategy(alpha(), { strategy: 'think', prompt: 'Think.' });

  const table = newTable();
  assert.equal(table.find(workspace, 'one'), undefined);
  await table.load();
  const one = table.find(workspace, 'one');
  assert.equal(one?.latest.number, 3);
  assert.equal(one?.latest.digest, (await library.readPattern(alpha(), { pattern: 'one' })).digest);
  assert.equal(one?.latest.model, 'local/m');
  assert.deepEqual(one?.latest.parameters, { seed: 7 });
  assert.equal(textOf(one?.latest), 'One, third, me.');
  assert.equal(textOf(one?.labels.get('stable')), 'One, first.');
  assert.equal(one?.latest.parts, one?.latest.parts);
  assert.equal(table.find(workspace, 'gone'), undefined);
  assert.deepEqual(table.strategy(workspace, 'think'), { prompt: 'Think.' });
});

test('no workspace sees what another one has', async () => {
  await library.createPattern(beta(), { name: 'secret', system: 'Secret of beta.' });
  await library.putStrategy(beta(), { strategy: 'hidden', prompt: 'Hidden.' });
  await library.createPattern(beta(), { name: 'one', system: 'One of beta.' });
  const table = newTable();
  await table.load();
  assert.equal(table.find(workspace, 'secret'), undefined);
  assert.equal(table.strategy(workspace, 'hidden'), undefined);
  assert.equal(await table.version(workspace, 'secret', 1), undefined);
  assert.equal(textOf(table.find(beta().workspace, 'one')?.latest), 'One of beta.');
  assert.equal(textOf(table.find(workspace, 'one')?.labels.get('stable')), 'One, first.');
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.equal(table.find(workspace, name), undefined);
    assert.equal(table.find(name, name), undefined);
  }
});

test('later loads bring every change, and keep what did not change as it is', async () => {
  const table = newTable();
  await library.createPattern(alpha(), { name: 'still', system: 'Still.' });
  await library.createPattern(alpha(), { name: 'moves', system: 'Moves 1.' });
  await table.load();
  const still = table.find(workspace, 'still');
  const first = table.find(workspace, 'moves')?.latest;

  await library.publishVersion(alpha(), { pattern: 'moves', system: 'Moves 2.' });
  await library.setLabel(alpha(), { pattern: 'moves', label: 'old', version: 1 });
  await library.putStrategy(alpha(), { strategy: 'late', prompt: 'Late.' });
  await table.load();
  assert.equal(textOf(table.find(workspace, 'moves')?.latest), 'Moves 2.');
  assert.equal(table.find(workspace, 'moves')?.labels.get('old'), first);
  assert.equal(table.find(workspace, 'still')?.latest, still?.latest);
  assert.deepEqual(table.strategy(workspace, 'late'), { prompt: 'Late.' });

  await library.removeLabel(alpha(), { pattern: 'moves', label: 'old' });
  await library.deletePattern(alpha(), { pattern: 'still' });
  await library.deleteStrategy(alpha(), { strategy: 'late' });
  await table.load();
  assert.equal(table.find(workspace, 'moves')?.labels.size, 0);
  assert.equal(table.find(workspace, 'still'), undefined);
  assert.equal(table.strategy(workspace, 'late'), undefined);

  await library.restorePattern(alpha(), { pattern: 'still' });
  await table.load();
  assert.equal(textOf(table.find(workspace, 'still')?.latest), 'Still.');
});

test('a name that was deleted and taken again in one go shows the new pattern, whichever row comes first', async () => {
  const table = newTable();
  await library.createPattern(alpha(), { name: 'swap', system: 'Before.' });
  await table.load();
  const before = await library.deletePattern(alpha(), { pattern: 'swap' });
  await library.createPattern(alpha(), { name: 'swap', system: 'After.' });
  await table.load();
  assert.equal(textOf(table.find(workspace, 'swap')?.latest), 'After.');
  // The deleted row is touched once more, so that it sorts last.
  await sql('update pattern.pattern set updated_at = now() where id = $1', [before.id]);
  await table.load();
  assert.equal(textOf(table.find(workspace, 'swap')?.latest), 'After.');
});

test('a slow transaction that commits after later ones were loaded is not lost', async () => {
  const table = newTable();
  await library.createPattern(alpha(), { name: 'slow', system: 'Slow 1.' });
  await library.createPattern(alpha(), { name: 'quick', system: 'Quick 1.' });
  await library.publishVersion(alpha(), { pattern: 'slow', system: 'Slow 2.' });
  await library.setLabel(alpha(), { pattern: 'slow', label: 'at', version: 1 });
  await table.load();

  const client = new pg.Client(connection);
  await client.connect();
  const { id } = await library.readPattern(alpha(), { pattern: 'slow' });
  await client.query('begin');
  await client.query('update pattern.label set number = 2 where pattern = $1', [id]);
  await client.query('update pattern.pattern set updated_at = now() where id = $1', [id]);
  for (let round = 2; round < 5; round++) {
    await library.publishVersion(alpha(), { pattern: 'quick', system: `Quick ${round}.` });
    await table.load();
    assert.equal(table.find(workspace, 'quick')?.latest.number, round);
    assert.equal(table.find(workspace, 'slow')?.labels.get('at')?.number, 1);
  }
  await client.query('commit');
  await client.end();
  await table.load();
  assert.equal(table.find(workspace, 'slow')?.labels.get('at')?.number, 2);
});

test('an older version is read once, by all that ask for it at once', async () => {
  for (let number = 2; number <= 4; number++) {
    await library.publishVersion(beta(), { pattern: 'one', system: `One of beta, ${number}.` });
  }
  let reads = 0;
  const counting: typeof database = {
    ...database,
    transaction: (scope, work) => {
      if (scope.role === 'pattern') reads += 1;
      return database.transaction(scope, work);
    },
  };
  const table = createLibraryTable({ database: counting, log });
  await table.load();
  const { workspace: theirs } = beta();
  const asked = await Promise.all([1, 2, 3].map(() => table.version(theirs, 'one', 2)));
  assert.equal(textOf(asked[0]), 'One of beta, 2.');
  assert.ok(asked.every((version) => version === asked[0]));
  assert.equal(await table.version(theirs, 'one', 2), asked[0]);
  assert.equal(reads, 1);
  assert.equal(await table.version(theirs, 'one', 4), table.find(theirs, 'one')?.latest);
  assert.equal(reads, 1);
  assert.equal(await table.version(theirs, 'one', 5), undefined);
  assert.equal(await table.version(workspace, 'one', 5), undefined);
});

test('a load that breaks off leaves the table as it was and is made up for by the next', async () => {
  let broken = false;
  const breaking: typeof database = {
    ...database,
    transaction: (scope, work) =>
      database.transaction(scope, (transaction) =>
        work({
          announce: transaction.announce,
          query: (text, values) => {
            if (broken && text.includes('pattern.strategy')) throw new Error('The connection is gone');
            return transaction.query(text, values);
          },
        }),
      ),
  };
  const table = createLibraryTable({ database: breaking, log });
  broken = true;
  await assert.rejects(table.load());
  assert.equal(table.find(workspace, 'one'), undefined);
  broken = false;
  await table.load();
  broken = true;
  await library.putStrategy(alpha(), { strategy: 'broken', prompt: 'Broken.' });
  await assert.rejects(table.load());
  assert.equal(textOf(table.find(workspace, 'one')?.labels.get('stable')), 'One, first.');
  broken = false;
  await table.load();
  assert.deepEqual(table.strategy(workspace, 'broken'), { prompt: 'Broken.' });
});

test('more patterns than a page holds are all loaded, with a text that they share held once', async () => {
  const files = Array.from({ length: 450 }, (_, index) => ({
    path: `patterns/many_${index}/system.md`,
    content: index % 2 ? `Text ${index}.` : 'The same text for all of these.',
  }));
  const table = newTable();
  await table.load();
  await library.importTree(alpha(), { files });
  await table.load();
  const fresh = newTable();
  await fresh.load();
  for (const each of [table, fresh]) {
    for (let index = 0; index < 450; index++) {
      const expected = index % 2 ? `Text ${index}.` : 'The same text for all of these.';
      assert.equal(textOf(each.find(workspace, `many_${index}`)?.latest), expected);
    }
  }
});

test('a caller can run what it has just published, because the table follows the topic', async () => {
  const table = newTable();
  const topics = await watchTopics({
    database,
    clock: parts.clock,
    log,
    followers: [{ topic: libraryTopic, load: () => table.load() }],
  });
  try {
    const { version } = await library.publishVersion(beta(), { pattern: 'one', system: 'Fresh.' });
    await topics.refresh();
    assert.equal(table.find(beta().workspace, 'one')?.latest.number, version);
  } finally {
    await topics.stop();
  }
});
