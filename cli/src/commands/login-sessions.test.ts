import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const id = '0199a000-0000-7000-8000-000000000001';
const session = {
  id,
  kind: 'browser',
  way: 'passkey',
  user_agent: 'a browser',
  address: '192.0.2.7',
  created_at: '2026-11-20T10:00:00.000Z',
  seen_at: '2026-11-20T11:00:00.000Z',
  expires_at: '2026-12-04T10:00:00.000Z',
};

test('a link for the owner is printed alone on the standard output', async () => {
  const url = 'http://localhost:7440/account#link=dml_secret';
  await using server = await startScriptedServer(({ method, url: path }, response) =>
    `${method} ${path}` === 'POST /v1/login-links'
      ? sendJson(response, 201, { url, account: { id, name: 'owner', email: null }, expires_at: session.expires_at })
      : sendProblem(response, 404, 'not_found'),
  );
  const { stdout, stderr, code } = await runCli(['login', '--link'], { url: server.url });
  assert.deepEqual([stdout, code], [`${url}\n`, 0]);
  assert.match(stderr, /signs owner in once/);
});

test('login sessions are listed, and one is ended', async () => {
  await using server = await startScriptedServer(({ method, url }, response) => {
    if (method === 'GET') sendJson(response, 200, { items: [{ ...session, current: true }] });
    else if (url.endsWith(id)) sendJson(response, 200, session);
    else sendProblem(response, 404, 'not_found');
  });
  const listed = await runCli(['login', 'sessions'], { url: server.url });
  assert.match(listed.stdout, new RegExp(`${id} +browser +passkey +192\\.0\\.2\\.7 .* this one`));
  const ended = await runCli(['login', 'sessions', '--revoke', id.toUpperCase()], { url: server.url });
  assert.match(ended.stderr, new RegExp(`Login session ${id} has ended`));
  const missing = await runCli(['login', 'sessions', '--revoke', id.replace('1', '2')], { url: server.url });
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /`damask login sessions` lists them/);
});
