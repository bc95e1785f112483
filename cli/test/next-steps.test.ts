import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from './run-cli.ts';

const pattern = { name: 'letter', version: 3, labels: {}, deprecated: null };
const provider = { name: 'openai', models: [], offered: null, base_url: null, has_key: true, protocol: 'openai' };

/** Has one pattern and two providers; whatever else is asked for is not there. */
function startServer() {
  return startScriptedServer(({ method, url, headers }, response) => {
    if (headers.authorization === 'Bearer dmk_bad') return sendProblem(response, 401, 'unauthenticated');
    if (method === 'GET' && url.startsWith('/v1/patterns?')) return sendJson(response, 200, { items: [pattern] });
    if (method === 'GET' && url === '/v1/patterns/letter') return sendJson(response, 200, pattern);
    if (method === 'GET' && url === '/v1/providers') {
      const items = [
        { ...provider, origin: 'environment' },
        { ...provider, name: 'lab', origin: 'workspace' },
      ];
      return sendJson(response, 200, { items });
    }
    sendProblem(response, 404, 'not_found');
  });
}

test('what is not there is named, with the next step', async () => {
  await using server = await startServer();
  const home = makeFolder();
  mkdirSync(join(home, 'draft'));
  writeFileSync(join(home, 'draft', 'system.md'), 'Write.\n');
  for (const [args, code, said] of [
    [['show', 'letter', '--version', '9'], 5, /no version 9\. They go from 1 to 3; `damask history letter`/],
    [['diff', 'letter', '1', '7'], 5, /no version 7/],
    [['diff', join(home, 'draft')], 5, /not published yet.*damask publish .*draft --dry-run/],
    [['deprecate', 'letter', '--undo'], 5, /letter is not deprecated/],
    [['deprecate', 'leter', '--undo'], 5, /no pattern 'leter'. Did you mean 'letter'/],
    [['providers', 'test', 'lap'], 5, /no provider 'lap'. Did you mean 'lab'/],
    [['providers', 'remove', 'openai'], 6, /openai comes from the settings of the server/],
    [['keys', 'revoke', 'abc'], 5, /no key with the id abc.*`damask keys`/],
    [['export', '-', 'letter', 'leter'], 5, /no pattern 'leter'. Did you mean 'letter'/],
    [['export', 'all.rar'], 2, /An archive ends in \.zip/],
    [['runs', '--metadata', 'ticket'], 2, /'ticket' is not of the form --metadata key=value/],
  ] as const) {
    const told = await runCli([...args], { url: server.url, home });
    assert.deepEqual([told.code, said.test(told.stderr)], [code, true], told.stderr);
  }
});

test('a login that fails speaks of the address and the key that were given', async () => {
  await using server = await startServer();
  const env = { DAMASK_API_KEY: '', DAMASK_URL: '' };
  const refused = await runCli(['login', '--url', server.url], { home: makeFolder(), env, input: 'dmk_bad' });
  assert.deepEqual([refused.code, refused.stderr.includes(`${server.url} does not take this key`)], [4, true]);
  const nobody = await runCli(['login', '--url', 'http://127.0.0.1:9'], { home: makeFolder(), env, input: 'dmk_x' });
  assert.deepEqual([nobody.code, nobody.stderr.includes('No server answers at http://127.0.0.1:9')], [3, true]);
});

test('a problem is not said twice', async () => {
  const errors = [{ pointer: '/files/0', detail: 'pattern.yaml line 1: no key' }];
  await using server = await startScriptedServer((_, response) =>
    sendJson(response, 422, { code: 'invalid_pattern', status: 422, detail: 'pattern.yaml line 1: no key.', errors }),
  );
  const { stderr } = await runCli(['show', 'letter'], { url: server.url });
  assert.equal(stderr.split('no key').length, 2, stderr);
});

test('who names a file as the text is told how to run on the file', async () => {
  await using server = await startServer();
  const home = makeFolder();
  const file = join(home, 'mail.txt');
  writeFileSync(file, 'Hello.\n');
  const named = await runCli(['run', 'letter', file], { url: server.url, home });
  assert.match(named.stderr, /gets the name .*mail\.txt, not the file.* < .*mail\.txt/);
  const said = await runCli(['run', 'letter', 'mail.txt'], { url: server.url, home });
  assert.doesNotMatch(said.stderr, /not the file/);
});
