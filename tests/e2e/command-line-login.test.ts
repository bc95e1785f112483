import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder, runCli, startCli } from '../../cli/test/run-cli.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';

let platform: TestPlatform;
let cookie = '';
let csrf = '';

before(async () => {
  platform = await startTestPlatform();
  const { body } = await platform.call('POST', '/v1/login-links', {});
  const link = String(body.url).split('#link=')[1];
  const signedIn = await platform.call('POST', '/v1/login/link', { link }, { key: null });
  cookie = (signedIn.headers.get('set-cookie') as string).split(';')[0] as string;
  csrf = (await platform.call('GET', '/v1/login', undefined, { key: null, headers: { cookie } })).body.csrf;
});

after(() => platform.stop());

/** What the person does in the browser. */
async function approve(code: string): Promise<string | null> {
  const headers = { cookie, 'damask-csrf': csrf, 'sec-fetch-site': 'same-origin' };
  const path = `/v1/me/command-line-logins/${code}/approval`;
  const { status, body } = await platform.call('POST', path, {}, { key: null, headers });
  assert.equal(status, 200);
  return body.location;
}

function begin(args: readonly string[], home: string, more: Record<string, string> = {}) {
  const env = { DAMASK_API_KEY: '', DAMASK_URL: '', PATH: '/nowhere', ...more };
  const cli = startCli(['login', '--url', platform.url, ...args], { home, env });
  const code = new Promise<string>((resolve) => {
    let told = '';
    cli.child.stderr?.on('data', (text) => {
      told += text;
      const found = /#code=([B-Z]{4}-[B-Z]{4})/.exec(told)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return { ...cli, code };
}

async function whoami(home: string) {
  const { stdout, stderr } = await runCli(['whoami', '--json'], { home, env: { DAMASK_API_KEY: '', DAMASK_URL: '' } });
  return JSON.parse(stdout || stderr);
}

test('damask login beside a browser takes what the browser brings to it, and acts for the person from then on', async () => {
  const home = makeFolder();
  const cli = begin(['--browser'], home, { DISPLAY: ':9' });
  const location = (await approve(await cli.code)) as string;
  const wrong = new URL(location);
  wrong.searchParams.set('state', 'of-somebody-else');
  assert.equal((await fetch(wrong)).status, 404);
  assert.equal((await fetch(location)).status, 200);
  const { code, stdout, stderr } = await cli.finished;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Logged in to .* \(owner\) of workspace alpha\.$/m);
  assert.equal((await whoami(home)).actor.kind, 'member');
  const kept = readFileSync(join(home, '.config', 'damask', 'credentials.json'), 'utf8');
  assert.match(kept, /"api_key": "dms_/);
  assert.doesNotMatch(stdout + stderr, /dms_/);
});

test('damask login without a browser waits for a code that is approved elsewhere', async () => {
  const home = makeFolder();
  const cli = begin(['--device'], home);
  assert.equal(await approve(await cli.code), null);
  const { code, stderr } = await cli.finished;
  assert.equal(code, 0, stderr);
  assert.equal((await whoami(home)).workspace.name, 'alpha');
});

test('damask logout ends the login at the server, too', async () => {
  const home = makeFolder();
  const cli = begin(['--device'], home);
  await approve(await cli.code);
  await cli.finished;
  const kept = JSON.parse(readFileSync(join(home, '.config', 'damask', 'credentials.json'), 'utf8'));
  const { api_key, workspace } = kept.instances[`login ${platform.url}`];
  const ask = () =>
    platform.call('GET', '/v1/me', undefined, { key: api_key, headers: { 'damask-workspace': workspace } });
  assert.equal((await ask()).status, 200);
  await runCli(['logout'], { home, env: { DAMASK_API_KEY: '', DAMASK_URL: '' } });
  assert.equal((await ask()).status, 401);
});

test('a workspace that is not one of theirs is not guessed', async () => {
  const home = makeFolder();
  const cli = begin(['--device', '--workspace', 'beta'], home);
  await approve(await cli.code);
  const { code, stderr } = await cli.finished;
  assert.notEqual(code, 0);
  assert.match(stderr, /Which workspace\? .*alpha \(/);
});
