import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { libraryForTests } from './library-for-tests.ts';

const { library, alpha, beta, leftBy, topic, sql, stop } = await libraryForTests();
after(stop);

const refused = (code: string, pointer?: string) => (error: unknown) => {
  const { code: actual, details } = error as { code: string; details: { pointer?: string } };
  assert.equal(actual, code);
  if (pointer !== undefined) assert.equal(details.pointer, pointer);
  return true;
};
const namesOf = ({ items }: { items: { name: string }[] }) => items.map((item) => item.name);

test('a pattern is created with its first version', async () => {
  const caller = alpha();
  const system = '# Short mails\n\nWrites a short mail to {{name}}.\n\n{{plugin:file:read:x}}\n';
  const pattern = await library.createPattern(caller, { name: 'mail', system, message: 'first' });
  assert.equal(pattern.version, 1);
  assert.equal(pattern.title, 'Short mails');
  assert.match(pattern.digest, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(pattern.source, { kind: 'api' });
  assert.deepEqual(pattern.labels, {});
  assert.deepEqual(pattern.disabled_capabilities, ['{{plugin:file:read:x}}']);
  assert.deepEqual(
    pattern.variables.map(({ name, declared }) => ({ name, declared })),
    [{ name: 'name', declared: false }],
  );
  const { warnings, ...stored } = pattern;
  assert.deepEqual(await library.readPattern(alpha(), { pattern: 'mail' }), stored);
  assert.deepEqual(
    warnings?.map(({ code, line }) => [code, line]),
    [['untrusted_in_system', 3]],
  );

  const version = await library.readVersion(alpha(), { pattern: 'mail', version: 1 });
  assert.deepEqual(version.files, [{ path: 'system.md', content: system }]);
  assert.equal(version.message, 'first');
  assert.equal(version.created_by, caller.actor.id);
  assert.equal(version.digest, pattern.digest);
});

test('a new pattern leaves an audit row, its events and a moved topic', async () => {
  const before = await topic();
  const caller = alpha();
  const { id, digest } = await library.createPattern(caller, { name: 'trail', system: 'Say it.' });
  assert.deepEqual(await leftBy(caller), {
    audit: [{ action: 'createPattern', subject: 'pattern/trail', details: { id, version: 1, digest } }],
    events: [
      { name: 'pattern.pattern-created', data: { pattern: 'trail' } },
      { name: 'pattern.version-published', data: { pattern: 'trail', version: 1, digest } },
    ],
  });
  assert.equal(await topic(), before + 1);
});

test('a taken name, bad content and bad names are refused and leave nothing', async () => {
  const before = await topic();
  const create = (input: object) => {
    const caller = alpha();
    return { caller, made: library.createPattern(caller, { name: 'bad', ...input } as never) };
  };
  const system = 'Text';
  for (const [input, code, pointer] of [
    [{ name: 'mail', system }, 'already_exists', '/name'],
    [{ name: '../etc', system }, 'invalid_request', '/name'],
    [{ name: 'Bad', system }, 'invalid_request', '/name'],
    [{}, 'invalid_request', ''],
    [{ system, files: [{ path: 'system.md', content: 'x' }] }, 'invalid_request', '/files'],
    [{ system, more: 1 }, 'invalid_request', '/more'],
    [{ system: ' \n' }, 'invalid_pattern', '/system'],
    [{ system: 'a\0b' }, 'invalid_pattern', '/system'],
    [{ system: 'a\ud800b' }, 'invalid_pattern', '/system'],
    [{ files: [{ path: '../system.md', content: 'x' }] }, 'invalid_pattern', '/files/0'],
    [{ files: [{ path: 'README.md', content: 'x' }] }, 'invalid_pattern', '/files'],
  ] as const) {
    const { caller, made } = create(input);
    await assert.rejects(made, refused(code, pointer), JSON.stringify(input));
    assert.deepEqual(await leftBy(caller), { audit: [], events: [] });
  }
  await assert.rejects(library.readPattern(alpha(), { pattern: 'bad' }), refused('not_found'));
  assert.equal(await topic(), before);
});

test('texts come back byte for byte, with signs beyond the basic plane at every edge of what is derived', async () => {
  const system = `${'a'.repeat(298)}😀😀\r\n\tend 𝄞 {{x}}   \n\n`;
  const files = [
    { path: 'docs/Ünïcode 𝄞.md', content: '\ufeff\r\nbytes\u2028\n' },
    { path: 'system.md', content: system },
  ];
  await library.createPattern(alpha(), { name: 'bytes', files });
  assert.deepEqual((await library.readVersion(alpha(), { pattern: 'bytes', version: 1 })).files, files);
  for (let length = 290; length <= 300; length++) {
    const name = `edge-${length}`;
    const made = await library.createPattern(alpha(), { name, system: `${'a'.repeat(length)}${'😀'.repeat(20)}` });
    assert.ok(made.description.isWellFormed());
    await library.createPattern(alpha(), {
      name: `token-${length}`,
      system: `{{ ${'a'.repeat(length - 100)}${'😀'.repeat(20)}}}`,
    });
  }
});

test('of ten that take the same name at once, one gets it', async () => {
  const tried = await Promise.allSettled(
    Array.from({ length: 10 }, () => library.createPattern(alpha(), { name: 'race', system: 'Go.' })),
  );
  assert.equal(tried.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of tried) if (one.status === 'rejected') refused('already_exists')(one.reason);
});

test('a deleted pattern is gone, frees its name and comes back with versions and labels', async () => {
  await library.createPattern(alpha(), { name: 'phoenix', system: 'One.' });
  await library.publishVersion(alpha(), { pattern: 'phoenix', system: 'Two.' });
  const living = await library.setLabel(alpha(), { pattern: 'phoenix', label: 'stable', version: 1 });

  const deleting = alpha();
  const deleted = await library.deletePattern(deleting, { pattern: 'phoenix' });
  assert.equal(deleted.id, living.id);
  assert.ok(deleted.deleted_at);
  assert.deepEqual(await leftBy(deleting), {
    audit: [{ action: 'deletePattern', subject: 'pattern/phoenix', details: { id: living.id } }],
    events: [{ name: 'pattern.pattern-deleted', data: { pattern: 'phoenix' } }],
  });
  for (const call of [
    () => library.readPattern(alpha(), { pattern: 'phoenix' }),
    () => library.readVersion(alpha(), { pattern: 'phoenix', version: 1 }),
    () => library.listVersions(alpha(), { pattern: 'phoenix' }),
    () => library.publishVersion(alpha(), { pattern: 'phoenix', system: 'Three.' }),
    () => library.setLabel(alpha(), { pattern: 'phoenix', label: 'stable', version: 2 }),
    () => library.removeLabel(alpha(), { pattern: 'phoenix', label: 'stable' }),
    () => library.deletePattern(alpha(), { pattern: 'phoenix' }),
  ]) {
    await assert.rejects(call(), refused('not_found'));
  }
  assert.ok(!namesOf(await library.listPatterns(alpha(), { limit: 200 })).includes('phoenix'));
  assert.deepEqual(namesOf(await library.listPatterns(alpha(), { deleted: true })), ['phoenix']);

  const restoring = alpha();
  const back = await library.restorePattern(restoring, { pattern: 'phoenix' });
  assert.deepEqual({ ...back, updated_at: '' }, { ...living, updated_at: '' });
  assert.deepEqual((await leftBy(restoring)).events, [
    { name: 'pattern.pattern-restored', data: { pattern: 'phoenix' } },
  ]);
  await assert.rejects(library.restorePattern(alpha(), { pattern: 'phoenix' }), refused('already_exists'));
  await assert.rejects(library.restorePattern(alpha(), { pattern: 'never' }), refused('not_found'));
});

test('a deleted name can be created anew; then the deleted one waits until the name is free', async () => {
  const first = await library.createPattern(alpha(), { name: 'again', system: 'First.' });
  await library.deletePattern(alpha(), { pattern: 'again' });
  const second = await library.createPattern(alpha(), { name: 'again', system: 'Second.' });
  assert.notEqual(second.id, first.id);
  assert.equal(second.version, 1);
  await assert.rejects(library.restorePattern(alpha(), { pattern: 'again' }), refused('already_exists'));
  await library.deletePattern(alpha(), { pattern: 'again' });
  assert.equal((await library.restorePattern(alpha(), { pattern: 'again' })).id, second.id);
});

test('search takes every character as itself, in name, title and description', async () => {
  const yaml = (title: string, description: string) =>
    `title: '${title}'\ndescription: '${description}'\ntags: [sale]\n`;
  const add = (name: string, title: string, description: string) =>
    library.createPattern(beta(), {
      name,
      files: [
        { path: 'system.md', content: 'Text.' },
        { path: 'pattern.yaml', content: yaml(title, description) },
      ],
    });
  await add('percent', 'Off', 'Takes 50% off');
  await add('under_score', 'Scores', 'Nothing');
  await add('plain', 'ÄPFEL', 'Back\\slash');
  const search = async (text: string) => namesOf(await library.listPatterns(beta(), { search: text }));
  assert.deepEqual(await search('%'), ['percent']);
  assert.deepEqual(await search('50%'), ['percent']);
  assert.deepEqual(await search('5_%'), []);
  assert.deepEqual(await search('_'), ['under_score']);
  assert.deepEqual(await search('\\'), ['plain']);
  assert.deepEqual(await search('äpfel'), ['plain']);
  assert.deepEqual(await search("' or true --"), []);
  assert.deepEqual(await search('TAKES'), ['percent']);
  assert.deepEqual(namesOf(await library.listPatterns(beta(), { tag: 'sale', search: 's' })), [
    'percent',
    'plain',
    'under_score',
  ]);
  assert.deepEqual(namesOf(await library.listPatterns(beta(), { tag: 'sal' })), []);
  await assert.rejects(
    () => library.listPatterns(beta(), { search: 'x'.repeat(201) }),
    refused('invalid_request', '/search'),
  );
});

test('pages join without gap or repeat, and a cursor fits its own list only', async () => {
  const all = namesOf(await library.listPatterns(alpha(), { limit: 200 }));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await library.listPatterns(alpha(), { limit: 3, ...(cursor && { cursor }) });
    seen.push(...namesOf(page));
    cursor = page.next;
    if (seen.length === 3) {
      const foreign = { limit: 3, cursor: cursor as string };
      await assert.rejects(library.listPatterns(beta(), foreign), refused('invalid_cursor', '/cursor'));
      await assert.rejects(library.listPatterns(alpha(), { ...foreign, search: 'a' }), refused('invalid_cursor'));
      await assert.rejects(library.listStrategies(alpha(), foreign), refused('invalid_cursor'));
    }
  } while (cursor);
  assert.deepEqual(seen, all);
  assert.deepEqual(all, [...all].sort());
});

test('another workspace finds nothing, and its own pattern of the same name is another one', async () => {
  const mine = await library.readPattern(alpha(), { pattern: 'mail' });
  for (const call of [
    () => library.readPattern(beta(), { pattern: 'mail' }),
    () => library.readVersion(beta(), { pattern: 'mail', version: 1 }),
    () => library.listVersions(beta(), { pattern: 'mail' }),
    () => library.publishVersion(beta(), { pattern: 'mail', system: 'Mine now.' }),
    () => library.setLabel(beta(), { pattern: 'mail', label: 'x', version: 1 }),
    () => library.removeLabel(beta(), { pattern: 'mail', label: 'x' }),
    () => library.deletePattern(beta(), { pattern: 'mail' }),
    () => library.restorePattern(beta(), { pattern: 'again' }),
  ]) {
    await assert.rejects(call(), refused('not_found'));
  }
  const theirs = await library.createPattern(beta(), { name: 'mail', system: 'Theirs.' });
  assert.notEqual(theirs.id, mine.id);
  assert.deepEqual(await library.readPattern(alpha(), { pattern: 'mail' }), mine);
  const tables = ['file', 'pattern', 'version', 'label', 'strategy'];
  const rules = await sql<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'pattern'::regnamespace and relname = any($1)
      and relrowsecurity and relforcerowsecurity`,
    [tables],
  );
  assert.equal(rules.length, tables.length);
});
