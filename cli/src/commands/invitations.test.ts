import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const id = '0199a000-0000-7000-8000-000000000001';
const invitation = {
  id,
  email: 'ada@example.com',
  name: null,
  role: 'author',
  state: 'open',
  created_at: '2026-11-20T10:00:00.000Z',
  created_by: id,
  expires_at: '2026-11-27T10:00:00.000Z',
  accepted_at: null,
  member: null,
  revoked_at: null,
};

test('the link of an invitation is printed alone on the standard output, and until when it lasts beside it', async () => {
  const url = 'http://localhost:7440/account#invitation=dmi_secret';
  const bodies: unknown[] = [];
  await using server = await startScriptedServer(({ method, url: path, body }, response) => {
    bodies.push(JSON.parse(String(body)));
    if (`${method} ${path}` === 'POST /v1/invitations') sendJson(response, 201, { ...invitation, url });
    else sendProblem(response, 404, 'not_found');
  });
  const asked = ['members', 'invite', 'ada@example.com', '--role', 'author', '--expires', '2026-11-27T10:00:00Z'];
  const { stdout, stderr, code } = await runCli(asked, { url: server.url });
  assert.deepEqual([stdout, code], [`${url}\n`, 0]);
  assert.match(stderr, /ada@example\.com becomes author with it, once, until 2026-11-27/);
  assert.deepEqual(bodies, [{ email: 'ada@example.com', role: 'author', expires_at: '2026-11-27T10:00:00.000Z' }]);
  const json = await runCli([...asked, '--json'], { url: server.url });
  assert.equal(JSON.parse(json.stdout).url, url);
  const without = await runCli(['members', 'invite', 'ada@example.com'], { url: server.url });
  assert.deepEqual([without.code, without.stdout], [2, '']);
  assert.match(without.stderr, /--role takes one of viewer/);
  assert.equal((await runCli([...asked.slice(0, 5), '--expires', 'soon'], { url: server.url })).code, 2);
});

test('invitations are listed, and one is revoked', async () => {
  const queries: string[] = [];
  await using server = await startScriptedServer(({ method, url }, response) => {
    queries.push(`${method} ${url}`);
    if (method === 'GET') sendJson(response, 200, { items: [invitation] });
    else if (url.endsWith(id))
      sendJson(response, 200, { ...invitation, state: 'revoked', revoked_at: '2026-11-21T10:00:00Z' });
    else sendProblem(response, 404, 'not_found');
  });
  const listed = await runCli(['invitations'], { url: server.url });
  assert.match(listed.stdout, new RegExp(`${id} +ada@example\\.com +author .* open until 2026-11-27`));
  await runCli(['invitations', '--all'], { url: server.url });
  assert.deepEqual(queries, ['GET /v1/invitations?limit=200&state=open', 'GET /v1/invitations?limit=200']);
  const revoked = await runCli(['invitations', 'revoke', id.toUpperCase()], { url: server.url });
  assert.match(revoked.stderr, new RegExp(`Invitation ${id} is revoked`));
  const missing = await runCli(['invitations', 'revoke', id.replace('1', '2')], { url: server.url });
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /`damask invitations` lists the ids/);
});
