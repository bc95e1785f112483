import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { sendJson, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { readTar } from '../../../server/src/services/pattern/transfer/read-tar.ts';
import { readZip } from '../../../server/src/services/pattern/transfer/read-zip.ts';
import { makeFolder, runCli } from '../../test/run-cli.ts';

const files = [
  { path: 'data/patterns/a/system.md', content: 'Grüße\r\n' },
  { path: `data/patterns/a/${'n'.repeat(120)}.md`, content: '' },
  { path: 'data/strategies/cot.json', content: '{}\n' },
];

function startLibrary(list: readonly { path: string; content: string }[] = files) {
  return startScriptedServer(({ url }, response) => {
    if (url.startsWith('/v1/exports') && url.includes('cursor=next')) sendJson(response, 200, { items: list.slice(1) });
    else if (url.startsWith('/v1/exports')) sendJson(response, 200, { items: list.slice(0, 1), next: 'next' });
    else if (url.startsWith('/v1/contexts/team')) sendJson(response, 200, { name: 'team', content: 'Lamps.' });
    else if (url.startsWith('/v1/contexts')) sendJson(response, 200, { items: [{ name: 'team' }] });
    else if (url.includes('/turns')) sendJson(response, 200, { items: [{ role: 'user', content: 'Hi', number: 1 }] });
    else sendJson(response, 200, { items: [{ name: 'chat' }] });
  });
}

test('a folder gets the files byte for byte, once; what differs there is overwritten only by force', async () => {
  await using server = await startLibrary();
  const folder = join(makeFolder(), 'new/library');
  const run = (...args: string[]) => runCli(['export', folder, ...args], { url: server.url });
  const first = await run();
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /1 pattern, 3 files written\n$/);
  for (const { path, content } of files) assert.equal(readFileSync(join(folder, path), 'utf8'), content);
  assert.match((await run()).stderr, /0 files written, 3 were the same/);
  writeFileSync(join(folder, files[0]?.path ?? ''), 'mine');
  const refused = await run();
  assert.deepEqual([refused.code, /what is there differs: .*system\.md\. Name/.test(refused.stderr)], [6, true]);
  assert.equal(readFileSync(join(folder, files[0]?.path ?? ''), 'utf8'), 'mine');
  assert.equal((await run('--force')).code, 0);
  assert.equal(readFileSync(join(folder, files[0]?.path ?? ''), 'utf8'), 'Grüße\r\n');
});

test('archives hold the same, are equal each time, and are not written over', async () => {
  await using server = await startLibrary();
  const folder = makeFolder();
  const read = async (name: string) => {
    const path = join(folder, name);
    assert.equal((await runCli(['export', path], { url: server.url })).code, 0);
    const bytes = readFileSync(path);
    const entries = name.endsWith('zip') ? readZip(bytes) : readTar(name.endsWith('tar') ? bytes : gunzipSync(bytes));
    return Promise.all(entries.map(async (entry) => ({ path: entry.path, content: (await entry.read()).toString() })));
  };
  for (const name of ['x.zip', 'x.tar', 'x.tgz']) assert.deepEqual(await read(name), files, name);
  const zip = join(folder, 'x.zip');
  const before = readFileSync(zip);
  assert.equal((await runCli(['export', zip], { url: server.url })).code, 6);
  assert.equal((await runCli(['export', zip, '-f'], { url: server.url })).code, 0);
  assert.deepEqual(readFileSync(zip), before);
  const piped = await runCli(['export', '-'], { url: server.url });
  assert.equal(piped.stdout, readFileSync(join(folder, 'x.tar'), 'utf8'));
});

test("patterns can be named, and Fabric's own layout has contexts and sessions", async () => {
  await using server = await startLibrary();
  const folder = makeFolder();
  const done = await runCli(['export', folder, 'a', 'b', '--home', '--contexts', '--sessions'], { url: server.url });
  assert.equal(done.code, 0, done.stderr);
  assert.match(server.seen[0]?.url ?? '', /pattern=a&pattern=b/);
  assert.equal(readFileSync(join(folder, 'patterns/a/system.md'), 'utf8'), 'Grüße\r\n');
  assert.equal(readFileSync(join(folder, 'contexts/team'), 'utf8'), 'Lamps.');
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'sessions/chat.json'), 'utf8')), [
    { role: 'user', content: 'Hi' },
  ]);
});

test('nothing is written outside the folder, whatever a server sends', async () => {
  const folder = makeFolder();
  for (const path of ['../evil', '/evil', 'a/../../evil', 'a\\..\\evil', 'a\n/../../evil']) {
    await using server = await startLibrary([{ path, content: 'x' }]);
    // Whoever unpacks an archive must not be led astray either.
    const done = await runCli(['export', join(folder, path === '/evil' ? 'here.tar' : 'here')], { url: server.url });
    assert.deepEqual([done.code, /would leave/.test(done.stderr)], [6, true], path);
  }
  assert.deepEqual(readdirSync(folder), []);
  mkdirSync(join(folder, 'linked/data'), { recursive: true });
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'linked/data/patterns'));
  await using server = await startLibrary();
  const done = await runCli(['export', join(folder, 'linked')], { url: server.url });
  assert.deepEqual([done.code, /is a link/.test(done.stderr)], [6, true]);
  assert.ok(!existsSync(join(folder, 'elsewhere/a')));
});
