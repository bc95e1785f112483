import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from '../../test/run-cli.ts';

function makeTree(files: Readonly<Record<string, string>>, folder = makeFolder()): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const row = { name: 'a', version: 1, variables: [], literal_tokens: [], disabled_capabilities: [] };
const empty = { committed: true, source: {}, patterns: [], strategies: [], ignored: [], ignored_total: 0 };
const byName = (list: readonly { path: string; content: string }[]) =>
  Object.fromEntries(list.map(({ path, content }) => [path, content]));

test('an archive is sent as it is, and an address with its commit; other addresses are refused here', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, empty));
  const run = (...args: string[]) => runCli(['import', ...args], { url: server.url });
  const archive = join(makeTree({ 'my patterns.zip': 'PK-bytes' }), 'my patterns.zip');
  assert.equal((await run(archive, '--path', 'inner', '--keep')).code, 0);
  const [sent] = server.seen;
  assert.deepEqual([sent?.headers['content-type'], sent?.body], ['application/zip', 'PK-bytes']);
  const query = new URL(sent?.url ?? '', server.url).searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    origin: archive,
    path: 'inner',
    on_conflict: 'keep',
    dry_run: 'false',
  });
  const bodyOf = async (...args: string[]) => {
    const done = await run(...args);
    assert.equal(done.code, 0, done.stderr);
    return JSON.parse(server.seen.at(-1)?.body ?? '');
  };
  const decision = { on_conflict: 'fail', dry_run: false };
  const url = 'https://example.org/fabric.git';
  assert.deepEqual(await bodyOf(url), { url, ...decision });
  assert.deepEqual(await bodyOf(`${url}#v1`), { url, ref: 'v1', ...decision });
  assert.deepEqual(await bodyOf(url, '--ref', 'main', '--path', 'data/patterns/a'), {
    ...{ url, ref: 'main', path: 'data/patterns/a' },
    ...decision,
  });
  assert.deepEqual(await bodyOf('https://github.com/a/b/tree/main/data/patterns'), {
    ...{ url: 'https://github.com/a/b', ref: 'main', path: 'data/patterns' },
    ...decision,
  });
  const asked = server.seen.length;
  for (const other of ['http://example.org/x', 'ssh://git@example.org/x', 'git@example.org:x/y.git']) {
    const done = await run(other);
    assert.deepEqual([done.code, /https only/.test(done.stderr)], [2, true], other);
  }
  assert.equal((await run(`${url}#v1`, '--ref', 'v2')).code, 2);
  assert.equal((await run(makeFolder(), '--ref', 'v2')).code, 2);
  assert.equal((await run(join(makeTree({ 'notes.txt': 'x' }), 'notes.txt'))).code, 6);
  assert.equal(server.seen.length, asked);
});

const secret = 'sk-canary-never-sent';
const home = {
  '.env': [
    `OPENAI_API_KEY=${secret}`,
    `FABRIC_MODEL_KEY=${secret}`,
    'DEFAULT_VENDOR="Open AI"',
    'DEFAULT_MODEL=gpt-5',
    'export FABRIC_MODEL_MY_OWN=Ollama|llama3:8b',
    'FABRIC_MODEL_SUMMARIZE=broken',
    'CUSTOM_PATTERNS_DIRECTORY=~/custom',
  ].join('\r\n'),
  'config.yaml': 'temperature: 0.5\n',
  'patterns/summarize/system.md': 'Sum.',
  'patterns/my-own/system.md': 'Old.',
  'strategies/cot.json': '{"prompt":"Think."}',
  'contexts/team': 'We sell lamps.\n',
  'contexts/Not a name': 'x',
  'sessions/chat.json': JSON.stringify([
    { role: 'system', content: 'Be kind.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'image_url', image_url: { url: 'data:x' } },
      ],
    },
    { role: 'assistant', content: 'Hello' },
    { role: 'tool', content: 'result' },
  ]),
  'sessions/broken.json': '{',
  'sessions/picture.json': '[{"role":"user","content":[{"type":"image_url"}]}]',
};
const turns = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
  { role: 'meta', content: 'result' },
];

test("Fabric's own folder brings contexts, sessions, custom patterns and their models, and no key", async () => {
  const user = makeTree({ 'custom/my-own/system.md': 'Own.', 'custom/extra/system.md': 'Extra.' });
  const folder = makeTree(home, join(user, '.config/fabric'));
  await using server = await startScriptedServer(({ method }, response) => {
    if (method === 'GET') sendProblem(response, 404, 'not_found');
    else sendJson(response, 200, empty);
  });
  const done = await runCli(['import', folder], { url: server.url, home: user });
  assert.equal(done.code, 0, done.stderr);
  const written = server.seen.filter(({ method }) => method !== 'GET');
  const [tree, context, session] = written.map(({ body }) => JSON.parse(body));
  assert.deepEqual(byName(tree.files), {
    'patterns/summarize/system.md': 'Sum.',
    'patterns/my-own/system.md': 'Own.',
    'patterns/my-own/pattern.yaml': 'model: "ollama/llama3:8b"\n',
    'patterns/extra/system.md': 'Extra.',
    'strategies/cot.json': '{"prompt":"Think."}',
  });
  assert.deepEqual(context, { content: 'We sell lamps.\n' });
  assert.deepEqual(session, { turns });
  assert.deepEqual(
    written.map(({ url }) => url),
    ['/v1/imports', '/v1/contexts/team', '/v1/sessions/chat'],
  );
  assert.match(done.stdout, /1 context: 1 new\n1 session: 1 new/);
  assert.match(done.stdout, /cannot name a context.*contexts\/Not a name/);
  assert.match(done.stdout, /is not JSON: sessions\/broken\.json/);
  assert.match(done.stdout, /holds no message with a text: sessions\/picture\.json/);
  assert.match(done.stderr, /FABRIC_MODEL_SUMMARIZE is not written as vendor\|model/);
  assert.match(done.stderr, /DAMASK_MODEL=open-ai\/gpt-5/);
  assert.match(done.stderr, /config\.yaml sets temperature/);
  const everything = JSON.stringify([server.seen, done]);
  assert.ok(!everything.includes(secret), 'a key left');
});

test('what differs here is a conflict before anything is written; a dry run shows it, --replace takes it', async () => {
  const folder = makeTree(home);
  await using server = await startScriptedServer(({ method, url }, response) => {
    const numbered = turns.map((turn, index) => ({ ...turn, number: index + 1 }));
    if (method !== 'GET') sendJson(response, 200, empty);
    else if (url.includes('/turns')) sendJson(response, 200, { items: numbered });
    else sendJson(response, 200, { name: 'team', content: 'We sell bulbs.' });
  });
  const run = (...flags: string[]) => runCli(['import', folder, ...flags], { url: server.url });
  const writes = () => server.seen.filter(({ method }) => method !== 'GET').map(({ url }) => url);
  const refused = await run();
  assert.deepEqual([refused.code, writes()], [6, []]);
  assert.match(refused.stderr, /team would lose what is here/);
  const dry = await run('--dry-run');
  assert.match(dry.stdout, /1 context: 1 conflict \(team: choose/);
  assert.match(dry.stdout, /1 session: 1 same/);
  assert.deepEqual(writes(), ['/v1/imports']);
  await run('--keep');
  assert.deepEqual(writes(), ['/v1/imports', '/v1/imports']);
  await run('--replace');
  assert.deepEqual(writes().slice(2), ['/v1/imports', '/v1/contexts/team']);
});

test('a dry run shows how a conflict differs', async () => {
  const incoming = [{ path: 'system.md', content: 'Say no.\n' }];
  const report = { ...empty, committed: false, patterns: [{ ...row, outcome: 'conflict', version: null, incoming }] };
  await using server = await startScriptedServer(({ method, url }, response) => {
    if (method === 'POST') sendJson(response, 200, report);
    else if (url.includes('/versions/'))
      sendJson(response, 200, { files: [{ path: 'system.md', content: 'Say yes.\n' }] });
    else sendJson(response, 200, { name: 'a', version: 3 });
  });
  const done = await runCli(['import', makeTree({ 'a/system.md': 'Say no.\n' }), '--dry-run'], { url: server.url });
  assert.match(
    done.stdout,
    /--- a@3\/system\.md\n\+\+\+ a as imported\/system\.md\n@@ -1,1 \+1,1 @@\n-Say yes\.\n\+Say no\.\n$/,
  );
});
