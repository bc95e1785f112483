import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const corp = {
  name: 'corp',
  id: '01a20000-0000-7000-8000-000000000001',
  issuer: 'https://login.example.com',
  client_id: 'damask',
  algorithm: 'RS256',
  scopes: ['email'],
  groups_claim: 'groups',
  roles: [{ group: 'cn=staff', role: 'author' }],
  default_role: null,
  email_domains: [],
  sso_only: false,
  audience: null,
  machines: [],
  has_secret: true,
  login_url: 'https://damask.example.com/account/sign-in/corp',
  redirect_uri: 'https://damask.example.com/account/signed-in',
  updated_at: '2026-11-20T10:00:00.000Z',
};

/** A server with these providers; tells what was put. */
async function startServer(items: readonly object[]) {
  const put: Record<string, unknown>[] = [];
  const opened = await startScriptedServer(({ method, url, body }, response) => {
    if (method === 'PUT') put.push(JSON.parse(String(body)));
    if (method === 'DELETE' && url.endsWith('/crop')) sendProblem(response, 404, 'not_found');
    else if (method === 'GET') sendJson(response, 200, { items });
    else sendJson(response, 200, corp);
  });
  return { opened, put };
}

test('an identity provider is added with its secret out of sight, and what is to be entered there is said', async () => {
  const { opened, put } = await startServer([]);
  await using server = opened;
  const set = (args: string[], input = '') =>
    runCli(['identity-providers', 'set', 'corp', ...args], { url: server.url, input });
  const where = ['--issuer', corp.issuer, '--client-id', 'damask'];
  const groups = [
    '--group',
    'cn=staff=author',
    '--default-role',
    'none',
    '--sso-only',
    'yes',
    '--domain',
    'example.com',
  ];
  const made = await set([...where, ...groups, '--secret-stdin'], 'a-long-secret\n');
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(put, [
    {
      issuer: corp.issuer,
      client_id: 'damask',
      client_secret: 'a-long-secret',
      roles: [{ group: 'cn=staff', role: 'author' }],
      default_role: null,
      email_domains: ['example.com'],
      sso_only: true,
    },
  ]);
  assert.match(made.stderr, /redirect address: https:\/\/damask\.example\.com\/account\/signed-in/);
  for (const wrong of [
    [],
    where,
    [...where, '--group', 'staff', '--no-secret'],
    [...where, '--default-role', 'king'],
  ]) {
    assert.equal((await set(wrong)).code, 2, wrong.join(' '));
  }
  assert.equal(put.length, 1);
});

test('an identity provider keeps what no flag names, is listed with who gets in, and removed', async () => {
  const { opened, put } = await startServer([corp]);
  await using server = opened;
  const call = (...args: string[]) => runCli(['identity-providers', ...args], { url: server.url });
  assert.equal((await call('set', 'corp', '--default-role', 'viewer')).code, 0);
  assert.deepEqual(put, [{ issuer: corp.issuer, client_id: 'damask', default_role: 'viewer' }]);
  assert.match((await call()).stdout, /corp +https:\/\/login\.example\.com +cn=staff=author/);
  assert.match((await call('remove', 'crop')).stderr, /Did you mean 'corp'\?/);
  assert.match((await call('remove', 'corp')).stderr, /Nobody signs in by corp any more/);
});
