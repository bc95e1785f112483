import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Answer, sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { makeFolder, runCli } from './run-cli.ts';
import { hasScript, typeOnTerminal } from './type-on-terminal.ts';

const digest = `sha256:${'1'.repeat(64)}`;
const texts: Record<number, string> = { 1: 'You sum up.\n', 2: 'You sum up.\nBriefly.\n' };

/** A server with one pattern of two versions. */
async function library() {
  const published: { files: { path: string; content: string }[]; message?: string; base_version?: number }[] = [];
  const answer: Answer = ({ method, url, body }, response) => {
    const [, version] = /^\/v1\/patterns\/summarize\/versions\/(\d)$/.exec(url) ?? [];
    if (method === 'POST') {
      const { dry_run, ...sent } = JSON.parse(body);
      if (!dry_run) published.push(sent);
      if (url === '/v1/patterns/summarize/versions') return sendJson(response, 201, { version: 3, digest });
      if (url === '/v1/patterns') return sendJson(response, 201, { version: 1, digest });
    }
    if (method === 'PUT') return sendJson(response, 200, {});
    const [, from, to] = /\/diff\?from=(\d)&to=(\d)$/.exec(url) ?? [];
    if (from) {
      const file = { path: 'system.md', change: 'changed', added: 1, removed: 0, cut: false };
      const text = '--- a\n+++ b\n@@ -1 +1,2 @@\n You sum up.\n+Briefly.\n';
      const settings = [{ field: 'parameters.temperature', before: null, after: '0.2' }];
      const same = { pattern: 'summarize', from: Number(from), to: Number(to), files: [], settings: [] };
      return sendJson(response, 200, from === to ? same : { ...same, files: [{ ...file, diff: text }], settings });
    }
    if (url === '/v1/patterns/summarize') {
      return sendJson(response, 200, { name: 'summarize', version: 2, labels: { stable: 1 } });
    }
    if (!version) return sendProblem(response, 404, 'not_found');
    const files = [{ path: 'system.md', content: texts[Number(version)] }];
    return sendJson(response, 200, { pattern: 'summarize', version: Number(version), digest, files });
  };
  return { server: await startScriptedServer(answer), answer, published };
}

/** A program that stands for the person's editor. */
function editor(folder: string, script: string): string {
  const path = join(folder, 'editor.sh');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('new makes a folder that can be published as it is', async () => {
  const folder = makeFolder();
  const made = await runCli(['new', 'sum_up', '--dir', folder], { url: 'http://127.0.0.1:9' });
  assert.deepEqual([made.code, made.stdout], [0, `${join(folder, 'sum_up')}\n`], made.stderr);
  assert.match(made.stderr, /damask publish .*sum_up/);
  assert.match(readFileSync(join(folder, 'sum_up', 'system.md'), 'utf8'), /# IDENTITY and PURPOSE/);
  assert.match(readFileSync(join(folder, 'sum_up', 'pattern.yaml'), 'utf8'), /^title: "Sum up"$/m);
  assert.equal((await runCli(['new', 'sum_up', '--dir', folder])).code, 6);
  const wrong = await runCli(['new', '../x']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /For example: damask new/);
});

test('versions, labels and folders are compared as patches are', async () => {
  const { server } = await library();
  await using _ = server;
  const { url } = server;
  const versions = await runCli(['diff', 'summarize'], { url });
  assert.equal(
    versions.stdout,
    '--- summarize@1/system.md\n+++ summarize@2/system.md\n@@ -1 +1,2 @@\n You sum up.\n+Briefly.\n' +
      'Settings\n  parameters.temperature: none → 0.2\n',
  );
  const same = await runCli(['diff', 'summarize', 'stable', '1', '--exit-code'], { url });
  assert.deepEqual([same.code, same.stdout], [0, '']);
  const folder = join(makeFolder(), 'summarize');
  mkdirSync(folder);
  writeFileSync(join(folder, 'system.md'), 'You sum up.\n');
  const local = await runCli(['diff', folder, '--exit-code'], { url });
  assert.equal(local.code, 1);
  assert.match(local.stdout, /^-Briefly\.$/m);
  assert.match((await runCli(['diff', 'summarize', 'canary'], { url })).stderr, /no label 'canary'.*stable/);
  const dry = await runCli(['publish', join(folder, 'system.md'), '--dry-run'], { url });
  assert.match(dry.stdout, /^-Briefly\.$/m);
  assert.match(dry.stderr, /would get a new version/);
  const labelled = await runCli(['publish', folder, '--label', 'beta', '--message', 'Shorter'], { url });
  assert.equal(labelled.stdout, `summarize@3 (beta) ${digest}\n`);
  assert.equal(server.seen.at(-1)?.url, '/v1/patterns/summarize/labels/beta');
});

test('edit opens the newest version, shows what changed and publishes it', async () => {
  const { server, published } = await library();
  await using _ = server;
  const EDITOR = `${editor(makeFolder(), 'echo "In one line." >> "$2"')} --wait`;
  const done = await runCli(['edit', 'summarize', '--yes', '--message', 'Shorter'], {
    url: server.url,
    env: { EDITOR },
  });
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^\+In one line\.$/m);
  assert.match(done.stdout, /^summarize@3 sha256:1+$/m);
  assert.deepEqual(published, [
    {
      files: [{ path: 'system.md', content: 'You sum up.\nBriefly.\nIn one line.\n' }],
      message: 'Shorter',
      base_version: 2,
    },
  ]);
  const unchanged = await runCli(['edit', 'summarize', '--yes'], { url: server.url, env: { EDITOR: 'true' } });
  assert.deepEqual([unchanged.code, unchanged.stderr], [0, 'Nothing was changed.\n']);
  assert.equal(published.length, 1);
});

test('what was edited is kept where nothing was published', async () => {
  const { server } = await library();
  await using _ = server;
  const EDITOR = editor(makeFolder(), 'echo more >> "$1"');
  const broken = await runCli(['edit', 'summarize', '--yes'], { url: server.url, env: { EDITOR: 'false' } });
  assert.match(broken.stderr, /Your text is kept in[\s\S]*ended with code 1/);
  const plain = server.seen.length;
  const alone = await runCli(['edit', 'summarize'], { url: server.url, env: { EDITOR } });
  assert.equal(alone.code, 6);
  assert.match(alone.stderr, /--yes/);
  assert.equal(server.seen.length, plain);
  const { server: other } = await library();
  await using __ = other;
  other.script(({ method, url }, response) => {
    if (method === 'POST') return sendProblem(response, 409, 'version_conflict');
    const files = [{ path: 'system.md', content: 'Old.\n' }];
    sendJson(response, 200, { name: 'summarize', pattern: 'summarize', version: 2, labels: {}, files, url });
  });
  const conflict = await runCli(['edit', 'summarize', '--yes'], { url: other.url, env: { EDITOR } });
  assert.equal(conflict.code, 6);
  const [, kept = ''] = /Your text is kept in (\S+)/.exec(conflict.stderr) ?? [];
  assert.equal(readFileSync(join(kept, 'system.md'), 'utf8'), 'Old.\nmore\n');
  assert.match(conflict.stderr, new RegExp(`damask diff ${kept}`));
  assert.ok(existsSync(dirname(kept)));
});

test('a person is asked, mends what is refused, and publishes', hasScript, async () => {
  const { server, answer, published } = await library();
  await using _ = server;
  let refusals = 0;
  server.script((request, response) => {
    if (request.method !== 'POST' || refusals++ > 0) return answer(request, response);
    sendProblem(response, 400, 'invalid_pattern', { detail: 'No closing braces in line 3.' });
  });
  const EDITOR = editor(makeFolder(), 'echo "And more." >> "$1"');
  const shown = await typeOnTerminal('damask edit summarize', { url: server.url, env: { EDITOR } }, [
    ['Edit again?', 'y\r'],
    ['Publish it as summarize@3?', 'yes\r'],
  ]);
  assert.match(shown, /No closing braces in line 3/);
  assert.match(shown, /summarize@3 sha256/);
  assert.match(published[0]?.files[0]?.content ?? '', /And more\.\nAnd more\.\n$/);
  const kept = await typeOnTerminal('damask edit summarize', { url: server.url, env: { EDITOR } }, [
    ['Publish it', 'n\r'],
  ]);
  assert.match(kept, /Nothing is published\. Your text is kept in/);
  assert.equal(published.length, 1);
});

test('a server cannot make edit write outside its folder', async () => {
  await using server = await startScriptedServer((_, response) => {
    const files = [{ path: '../../evil', content: 'x' }];
    sendJson(response, 200, { name: 'a', pattern: 'a', version: 1, labels: {}, files });
  });
  const done = await runCli(['edit', 'a', '--yes'], { url: server.url, env: { EDITOR: 'true' } });
  assert.equal(done.code, 6);
  assert.match(done.stderr, /no path inside a pattern/);
});
