import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from '../../test/run-cli.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

function makeTree(files: Files): string {
  const folder = makeFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const row = (name: string, changes: object = {}) => ({
  name,
  outcome: 'new',
  version: 1,
  variables: [],
  literal_tokens: [],
  disabled_capabilities: [],
  ...changes,
});
const empty = { committed: true, source: {}, patterns: [], strategies: [], ignored: [], ignored_total: 0 };

test('of a clone of Fabric only patterns, strategies and descriptions are sent', async () => {
  const descriptions = 'scripts/pattern_descriptions/pattern_descriptions.json';
  const folder = makeTree({
    'data/patterns/summarize/system.md': '# IDENTITY\r\nGrüße\n',
    'data/patterns/summarize/README.md': 'read me',
    'data/patterns/summarize/big.png': 'x'.repeat(1024 * 1024 + 1),
    'data/patterns/summarize/small.png': Uint8Array.of(0x89, 0xfc),
    'data/patterns/.env': 'SECRET=1',
    'data/patterns/node_modules/x/system.md': 'no',
    'data/strategies/cot.json': '{}',
    [descriptions]: '{"patterns":[]}',
    'scripts/other.py': 'no',
    '.env': 'OPENAI_API_KEY=secret',
    'cmd/main.go': 'no',
  });
  symlinkSync('/etc/passwd', join(folder, 'data/patterns/summarize/link.md'));
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, empty));
  const done = await runCli(['import', folder], { url: server.url });
  assert.equal(done.code, 0, done.stderr);
  const body = JSON.parse(server.seen[0]?.body ?? '');
  assert.deepEqual(body.files, [
    { path: 'data/patterns/summarize/README.md', content: 'read me' },
    { path: 'data/patterns/summarize/system.md', content: '# IDENTITY\r\nGrüße\n' },
    { path: 'data/strategies/cot.json', content: '{}' },
    { path: descriptions, content: '{"patterns":[]}' },
  ]);
  assert.deepEqual([body.origin, body.on_conflict, body.dry_run], [folder, 'fail', false]);
  assert.match(done.stdout, /3 files left out/);
  assert.match(done.stdout, /larger than 1 MiB: data\/patterns\/summarize\/big.png/);
  assert.match(done.stdout, /not UTF-8 text; save it as UTF-8: data\/patterns\/summarize\/small.png/);
  assert.match(done.stdout, /a link is not followed: data\/patterns\/summarize\/link.md/);
});

test('Markdown and JSON in another encoding stop the import, each by name', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, empty));
  const folder = makeTree({
    'data/patterns/good/system.md': 'x',
    'data/patterns/big/system.md': 'x'.repeat(1024 * 1024 + 1),
    'data/patterns/latin/system.md': Uint8Array.of(0x47, 0xfc),
    'data/patterns/wide/README.md': Uint8Array.of(0xff, 0xfe, 0x47, 0),
    'data/patterns/nul/system.md': 'a\0b',
  });
  const done = await runCli(['import', folder], { url: server.url });
  assert.deepEqual([done.code, server.seen.length], [6, 0]);
  assert.match(done.stderr, /big\/system\.md: larger than 1 MiB/);
  assert.match(done.stderr, /latin\/system\.md: not UTF-8 text; save it as UTF-8/);
  assert.match(done.stderr, /wide\/README\.md: UTF-16 text/);
  assert.match(done.stderr, /nul\/system\.md: holds NUL bytes/);
  const single = await runCli(['import', join(folder, 'data/patterns/latin')], { url: server.url });
  assert.match(single.stderr, /latin\/system\.md: not UTF-8 text/);
});

test('a folder of patterns, one pattern and an old clone are taken too', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, empty));
  const paths = async (folder: string) => {
    const done = await runCli(['import', folder, '--json'], { url: server.url });
    assert.equal(done.code, 0, done.stderr);
    return JSON.parse(server.seen.at(-1)?.body ?? '').files.map(({ path }: { path: string }) => path);
  };
  assert.deepEqual(await paths(makeTree({ 'a/system.md': 'x', 'b/note.md': 'x', 'c.md': 'x' })), ['a/system.md']);
  assert.deepEqual(await paths(makeTree({ 'patterns/a/system.md': 'x', 'strategies/s.json': '{}' })), [
    'patterns/a/system.md',
    'strategies/s.json',
  ]);
  const single = makeTree({ 'system.md': 'x' });
  assert.deepEqual(await paths(single), [`${basename(single)}/system.md`]);
});

test("the origin is the clone's address without a password, and its commit", async () => {
  const commit = 'a'.repeat(40);
  const folder = makeTree({
    'patterns/a/system.md': 'x',
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.git/refs/heads/main': `${commit}\n`,
    '.git/config': '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://user:secret@example.com/fabric.git\n',
  });
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, empty));
  await runCli(['import', folder, '--replace', '--dry-run'], { url: server.url });
  const body = JSON.parse(server.seen[0]?.body ?? '');
  assert.equal(body.origin, `https://example.com/fabric.git@${commit}`);
  assert.deepEqual([body.on_conflict, body.dry_run], ['replace', true]);
});

test('the report counts everything and names what a person should look at', async () => {
  const tokens = ['{{A}}', '{{B}}', '{{C}}', '{{D}}', '{{E}}'];
  const report = {
    committed: false,
    source: { commit: 'c'.repeat(40) },
    patterns: [
      row('plain'),
      row('foreign', { literal_tokens: tokens }),
      row('edited', { outcome: 'conflict', version: null }),
      row('reads_files', { outcome: 'same', disabled_capabilities: ['{{plugin:file:read:x}}'] }),
    ],
    strategies: [{ name: 'cot', outcome: 'new' }],
    ignored: [{ path: 'data/patterns/notes.md', reason: 'not in a pattern' }],
    ignored_total: 1,
  };
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, report));
  const { stdout } = await runCli(['import', makeTree({ 'a/system.md': 'x' })], { url: server.url });
  assert.equal(
    stdout,
    [
      `commit ${'c'.repeat(40)}`,
      '4 patterns: 2 new, 1 conflict, 1 same',
      '1 strategy: 1 new',
      '',
      'PATTERN      OUTCOME   VERSION  NOTE',
      'foreign      new             1  stays as text: {{A}} {{B}} {{C}} and 2 more',
      'edited       conflict        -  edited here: choose --keep or --replace',
      'reads_files  same            1  cannot run, needs {{plugin:file:read:x}}',
      '',
      '1 file left out',
      '  not in a pattern: data/patterns/notes.md',
      '',
      'Nothing was changed: this was a dry run.',
      '',
    ].join('\n'),
  );
});

test('a conflict says how to go on, and a folder without patterns what to name', async () => {
  const problems = [{ pointer: '/patterns/edited', detail: 'edited here' }];
  await using server = await startScriptedServer((_, response) =>
    sendProblem(response, 409, 'import_conflict', { problems }),
  );
  const conflict = await runCli(['import', makeTree({ 'a/system.md': 'x' })], { url: server.url });
  assert.equal(conflict.code, 6);
  assert.match(conflict.stderr, /\/patterns\/edited: edited here\n {2}--keep leaves/);
  const none = await runCli(['import', makeFolder()], { url: server.url });
  assert.deepEqual([none.code, server.seen.length], [6, 1]);
  assert.match(none.stderr, /holds no patterns/);
  assert.equal((await runCli(['import', '/nowhere/at/all'], { url: server.url })).code, 5);
  assert.equal((await runCli(['import', '.', '--keep', '--replace'], { url: server.url })).code, 2);
});

test('publish sends a folder as a version, and creates the pattern when it is new', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    if (url.endsWith('/versions')) sendProblem(response, 404, 'not_found');
    else sendJson(response, 201, { version: 1, digest: 'sha256:00' });
  });
  const folder = makeTree({ 'system.md': 'x', 'pattern.yaml': 'title: X' });
  const done = await runCli(['publish', folder, '--name', 'mine', '--message', 'first'], { url: server.url });
  assert.equal(done.stdout, 'mine@1 sha256:00\n');
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    ['/v1/patterns/mine/versions', '/v1/patterns'],
  );
  assert.deepEqual(JSON.parse(server.seen[1]?.body ?? ''), {
    name: 'mine',
    files: [
      { path: 'pattern.yaml', content: 'title: X' },
      { path: 'system.md', content: 'x' },
    ],
    message: 'first',
  });
  assert.equal((await runCli(['publish', makeTree({ 'a.md': 'x' })], { url: server.url })).code, 6);
});
