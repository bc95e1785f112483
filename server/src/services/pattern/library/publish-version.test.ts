import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { libraryForTests } from './library-for-tests.ts';

const { library, database, connection, alpha, beta, leftBy, topic, sql, stop } = await libraryForTests();
after(stop);

const coded = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('a version is published, read back and becomes the newest', async () => {
  await library.createPattern(alpha(), { name: 'poem', system: 'A poem about {{topic}}.' });
  const caller = alpha();
  const version = await library.publishVersion(caller, {
    pattern: 'poem',
    files: [
      { path: 'README.md', content: 'Why.' },
      {
        path: 'pattern.yaml',
        content: 'model: openai/gpt-5-mini\nparameters: { temperature: 0.5 }\nvariables:\n  topic: { max_length: 9 }\n',
      },
      { path: 'system.md', content: 'A long poem about {{topic}}.' },
    ],
    message: 'longer',
  });
  assert.equal(version.version, 2);
  assert.equal(version.model, 'openai/gpt-5-mini');
  assert.deepEqual(version.parameters, { temperature: 0.5 });
  assert.deepEqual(version.variables, [
    { name: 'topic', type: 'string', required: true, declared: true, max_length: 9 },
  ]);
  assert.deepEqual(version.labels, []);
  assert.deepEqual(await library.readVersion(alpha(), { pattern: 'poem', version: 2 }), version);
  assert.equal((await library.readPattern(alpha(), { pattern: 'poem' })).version, 2);
  assert.deepEqual(await leftBy(caller), {
    audit: [{ action: 'publishVersion', subject: 'pattern/poem', details: { version: 2, digest: version.digest } }],
    events: [{ name: 'pattern.version-published', data: { pattern: 'poem', version: 2, digest: version.digest } }],
  });
});

test('a dry run checks all of it and leaves nothing', async () => {
  await library.createPattern(alpha(), { name: 'trial', system: 'One.' });
  const before = await topic();
  const caller = alpha();
  const would = await library.publishVersion(caller, { pattern: 'trial', system: 'Two.', dry_run: true });
  assert.deepEqual([would.version, would.files[0]?.content], [2, 'Two.']);
  const bad = { pattern: 'trial', system: 'Two {{a.b}}.', dry_run: true };
  await assert.rejects(library.publishVersion(alpha(), bad), coded('invalid_pattern'));
  const made = await library.createPattern(caller, { name: 'trial_two', system: 'One.', dry_run: true });
  assert.deepEqual([made.name, made.version], ['trial_two', 1]);
  await assert.rejects(library.readPattern(alpha(), { pattern: 'trial_two' }), coded('not_found'));
  assert.equal((await library.readPattern(alpha(), { pattern: 'trial' })).version, 1);
  assert.deepEqual(await leftBy(caller), { audit: [], events: [] });
  assert.equal(await topic(), before);
});

test('the newest content answers its version and leaves nothing; older content becomes the newest', async () => {
  const publish = (system: string, caller = alpha()) => library.publishVersion(caller, { pattern: 'same', system });
  await library.createPattern(alpha(), { name: 'same', system: 'One.' });
  const second = await publish('Two.');
  const before = await topic();
  const again = alpha();
  assert.deepEqual(await publish('Two.', again), second);
  assert.deepEqual(await leftBy(again), { audit: [], events: [] });
  assert.equal(await topic(), before);
  const third = await publish('One.');
  assert.equal(third.version, 3);
  const { items } = await library.listVersions(alpha(), { pattern: 'same' });
  assert.deepEqual(
    items.map(({ version }) => version),
    [3, 2, 1],
  );
  assert.equal(items[0]?.digest, items[2]?.digest);
});

test('a file that no run reads makes a version with the same digest', async () => {
  const { digest } = await library.createPattern(alpha(), { name: 'docs', system: 'Text.' });
  const files = [
    { path: 'README.md', content: 'New.' },
    { path: 'system.md', content: 'Text.' },
  ];
  const version = await library.publishVersion(alpha(), { pattern: 'docs', files });
  assert.equal(version.version, 2);
  assert.equal(version.digest, digest);
});

test('thirty at once get thirty numbers, in every workspace its own', async () => {
  await library.createPattern(alpha(), { name: 'busy', system: 'Start.' });
  await library.createPattern(beta(), { name: 'busy', system: 'Start.' });
  const published = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      library.publishVersion(index % 3 ? alpha() : beta(), { pattern: 'busy', system: `Text ${index}.` }),
    ),
  );
  const numbers = (third: boolean) =>
    published
      .filter((_, index) => (index % 3 === 0) === third)
      .map(({ version }) => version)
      .sort((a, b) => a - b);
  assert.deepEqual(
    numbers(false),
    Array.from({ length: 20 }, (_, index) => index + 2),
  );
  assert.deepEqual(
    numbers(true),
    Array.from({ length: 10 }, (_, index) => index + 2),
  );
});

test('bad content is refused with its place and takes no number', async () => {
  const publish = (input: object) => library.publishVersion(alpha(), { pattern: 'same', ...input } as never);
  await assert.rejects(publish({ system: 'Use {{two words-}} and {{!}}.' }), coded('invalid_pattern'));
  await assert.rejects(
    publish({
      files: [
        { path: 'system.md', content: 'x' },
        { path: 'pattern.yaml', content: 'a: [' },
      ],
    }),
    coded('invalid_pattern'),
  );
  await assert.rejects(publish({}), coded('invalid_request'));
  await assert.rejects(publish({ system: 'x', message: 'm'.repeat(501) }), coded('invalid_request'));
  assert.equal((await library.readPattern(alpha(), { pattern: 'same' })).version, 3);
});

test('versions are listed newest first, page by page, with their labels', async () => {
  await library.setLabel(alpha(), { pattern: 'busy', label: 'stable', version: 20 });
  await library.setLabel(alpha(), { pattern: 'busy', label: 'best', version: 20 });
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await library.listVersions(alpha(), { pattern: 'busy', limit: 8, ...(cursor && { cursor }) });
    for (const { version, labels } of page.items) {
      seen.push(version);
      assert.deepEqual(labels, version === 20 ? ['best', 'stable'] : []);
    }
    cursor = page.next;
  } while (cursor);
  assert.deepEqual(
    seen,
    Array.from({ length: 21 }, (_, index) => 21 - index),
  );
  const { next = '' } = await library.listVersions(alpha(), { pattern: 'busy', limit: 8 });
  await assert.rejects(library.listVersions(alpha(), { pattern: 'same', cursor: next }), coded('invalid_cursor'));
  await assert.rejects(library.listVersions(alpha(), { pattern: 'none' }), coded('not_found'));
});

test('a label is set, moved and removed, each with its trace', async () => {
  await library.createPattern(alpha(), { name: 'labels', system: 'One.' });
  await library.publishVersion(alpha(), { pattern: 'labels', system: 'Two.' });
  const set = async (version: number) => {
    const caller = alpha();
    const { labels } = await library.setLabel(caller, { pattern: 'labels', label: 'stable', version });
    assert.deepEqual(labels, { stable: version });
    return leftBy(caller);
  };
  assert.deepEqual(await set(1), {
    audit: [{ action: 'setLabel', subject: 'pattern/labels', details: { label: 'stable', version: 1, before: null } }],
    events: [{ name: 'pattern.label-set', data: { pattern: 'labels', label: 'stable', version: 1 } }],
  });
  assert.deepEqual(await set(1), { audit: [], events: [] });
  assert.deepEqual((await set(2)).audit[0]?.details, { label: 'stable', version: 2, before: 1 });
  for (const version of [3, 2_147_483_647]) {
    const input = { pattern: 'labels', label: 'stable', version };
    await assert.rejects(library.setLabel(alpha(), input), coded('not_found'));
  }
  const caller = alpha();
  const { labels } = await library.removeLabel(caller, { pattern: 'labels', label: 'stable' });
  assert.deepEqual(labels, {});
  assert.deepEqual(await leftBy(caller), {
    audit: [{ action: 'removeLabel', subject: 'pattern/labels', details: { label: 'stable' } }],
    events: [{ name: 'pattern.label-removed', data: { pattern: 'labels', label: 'stable' } }],
  });
  await assert.rejects(library.removeLabel(alpha(), { pattern: 'labels', label: 'stable' }), coded('not_found'));
});

test('nobody but the owner role changes what was published', async () => {
  const { workspace } = alpha();
  const asService = (text: string) =>
    database.transaction({ role: 'pattern', workspace }, (transaction) => transaction.query(text));
  for (const table of ['version', 'file']) {
    const column = table === 'version' ? 'description' : 'content';
    const statements = [
      `update pattern.${table} set ${column} = ''`,
      `delete from pattern.${table}`,
      `truncate pattern.${table} cascade`,
    ];
    for (const statement of statements) {
      await assert.rejects(asService(statement), coded('42501'), statement);
      // As superuser, whom no grant and no policy holds back.
      await assert.rejects(sql(statement), coded('23001'), statement);
    }
  }
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(`begin; set local damask.role = 'owner'`);
  assert.ok((await client.query(`update pattern.version set description = 'erased'`)).rowCount);
  await client.query('rollback');
  await client.end();
});

test('without a workspace, and in another, the tables are empty', async () => {
  for (const workspace of [null, '00000000-0000-7000-8000-000000000000']) {
    for (const table of ['pattern', 'version', 'file', 'label', 'strategy']) {
      const rows = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
        transaction.query(`select workspace from pattern.${table}`),
      );
      assert.deepEqual(rows, [], table);
    }
  }
  const smuggle = database.transaction({ role: 'pattern', workspace: beta().workspace }, (transaction) =>
    transaction.query('insert into pattern.file (workspace, hash, content) values ($1, $2, $3)', [
      alpha().workspace,
      'x',
      'x',
    ]),
  );
  await assert.rejects(smuggle, coded('42501'));
});
