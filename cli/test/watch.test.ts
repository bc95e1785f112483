import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  finishedRun,
  type SeenRequest,
  sendJson,
  sendProblem,
  startScriptedServer,
} from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli, startCli } from './run-cli.ts';

const bodyOf = ({ body }: SeenRequest) => JSON.parse(body);

function echoServer() {
  let version = 0;
  return startScriptedServer(({ url, body }, response) => {
    const { input, files } = JSON.parse(body || '{}');
    if (url === '/v1/runs') return sendJson(response, 200, finishedRun({ output: `answer to ${input}` }));
    if (!url.endsWith('/versions')) return sendProblem(response, 404, 'not_found');
    if (files[0].content.includes('broken')) return sendProblem(response, 400, 'invalid_pattern');
    version += 1;
    sendJson(response, 201, { version, digest: `sha256:${version}` });
  });
}

test('a text that changes, also by being replaced, runs the pattern again', async () => {
  await using server = await echoServer();
  const folder = makeFolder();
  const file = join(folder, 'mail.txt');
  writeFileSync(file, 'one');
  const cli = startCli(['run', 'summarize', '--watch', file], { url: server.url });
  await cli.seen('answer to one');
  writeFileSync(file, 'two, longer');
  await cli.seen('answer to two, longer');
  writeFileSync(join(folder, 'new'), 'three');
  renameSync(join(folder, 'new'), file);
  await cli.seen('answer to three');
  cli.child.kill('SIGINT');
  const done = await cli.finished;
  assert.equal(done.code, 130);
  assert.match(done.stderr, /watching for changes; Ctrl-C ends/);
});

test("a change in the pattern's own folder publishes it and runs that version; what is refused is told", async () => {
  await using server = await echoServer();
  const folder = join(makeFolder(), 'sum_up');
  mkdirSync(folder);
  writeFileSync(join(folder, 'system.md'), 'Sum up.');
  const cli = startCli(['run', '--watch', folder], { url: server.url, input: 'the mail' });
  const asked = async (count: number) => {
    while (server.seen.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await asked(2);
  writeFileSync(join(folder, 'system.md'), 'This is broken.');
  await asked(3);
  writeFileSync(join(folder, 'system.md'), 'Sum up briefly.');
  await asked(5);
  cli.child.kill('SIGINT');
  const done = await cli.finished;
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    ['/v1/patterns/sum_up/versions', '/v1/runs', ...Array(2).fill('/v1/patterns/sum_up/versions'), '/v1/runs'],
  );
  const last = bodyOf(server.seen.at(-1) as SeenRequest);
  assert.deepEqual([last.pattern, last.version, last.input], ['sum_up', 2, 'the mail']);
  assert.match(done.stderr, /About invalid_pattern/);
});

test('what cannot be watched is refused', async () => {
  const missing = await runCli(['run', 'a', '--watch', '/nowhere/x'], { input: '' });
  assert.deepEqual([missing.code, /no \/nowhere\/x to watch/.test(missing.stderr)], [5, true]);
  assert.equal((await runCli(['run', 'a', '--watch', '/', '--dry-run'], { input: '' })).code, 2);
});
