import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type IdentityForTests, identityForTests } from '../identity-for-tests.ts';
import { startIdentityProvider, type TestIdentityProvider } from './oidc-provider-for-tests.ts';

const publicUrl = 'http://127.0.0.1:7440';
const visit = { user_agent: 'test', address: '127.0.0.1', previous: null };

let world: IdentityForTests;
let idp: TestIdentityProvider;
let other: TestIdentityProvider;

before(async () => {
  idp = await startIdentityProvider();
  other = await startIdentityProvider();
  world = await identityForTests({ publicUrl, allow: [idp.host, other.host] });
});

after(async () => {
  await Promise.all([idp.stop(), other.stop()]);
  await world.stop();
});

const settings = (from: TestIdentityProvider) => ({
  issuer: from.issuer,
  client_id: from.clientId,
  client_secret: from.clientSecret,
  scopes: ['email', 'profile', 'groups'],
  roles: [
    { group: 'ops', role: 'operator' as const },
    { group: 'dev', role: 'author' as const },
  ],
});

async function provider(name: string, from = idp, more = {}, context = world.alpha) {
  const put = await world.identity.putIdentityProvider(context, {
    identity_provider: name,
    ...settings(from),
    ...more,
  });
  from.allowRedirect(put.redirect_uri as string);
  return put;
}

/** A browser that begins, signs in at the provider and comes back. `change` is what a stranger does on the way. */
async function browse(
  login: string,
  from = idp,
  change: { location?: (url: URL) => void; answer?: (url: URL) => void } = {},
) {
  const begun = await world.identity.beginSignIn(world.system, { login, return_to: '/runs' });
  const location = new URL(begun.location);
  change.location?.(location);
  const answer = new URL(await from.browse(location.href));
  change.answer?.(answer);
  return { login, ticket: begun.ticket, query: answer.search.slice(1), visit };
}

const finish = (back: Awaited<ReturnType<typeof browse>>) => world.identity.finishSignIn(world.system, back);
const tokensAsked = (from = idp) => from.asked.filter((one) => one === 'POST /token').length;
const sessions = async () =>
  Number((await world.sql<{ n: string }>('select count(*) as n from identity.login_session'))[0]?.n);

test('somebody new signs in and is a member with the role of their group', async () => {
  const { id } = await provider('corp');
  idp.person = { sub: 'ada', email: 'ada@example.com', email_verified: true, name: 'Ada', groups: ['dev', 'ops'] };
  const made = await finish(await browse(id));
  assert.match(made.secret, /^dms_/);
  assert.equal(made.return_to, '/runs');
  assert.equal(made.session.way, 'corp');
  assert.deepEqual([made.account.name, made.account.email], ['Ada', 'ada@example.com']);
  const [member] = await world.sql('select role, source from identity.member where account = $1', [made.account.id]);
  assert.deepEqual(member, { role: 'operator', source: 'oidc' });
  const left = await world.leftBy({ ...world.alpha, requestId: world.system.requestId });
  assert.deepEqual(
    left.events.map(({ name }) => name),
    ['identity.member-admitted', 'identity.member-signed-in'],
  );
  assert.deepEqual(
    left.audit.map(({ action }) => action),
    ['addMember', 'signIn'],
  );
});

test('the second sign-in finds the same account, and groups decide the role anew', async () => {
  const { id } = await provider('again');
  idp.person = { sub: 'bob', email: 'bob@example.com', groups: ['ops'] };
  const first = await finish(await browse(id));
  idp.person = { sub: 'bob', email: 'bob@example.org', groups: ['dev'] };
  const second = await finish(await browse(id));
  assert.equal(second.account.id, first.account.id);
  assert.equal(second.account.email, 'bob@example.org');
  const [member] = await world.sql('select role from identity.member where account = $1', [first.account.id]);
  assert.deepEqual(member, { role: 'author' });
  const live = 'select id from identity.login_session where account = $1 and revoked_at is null';
  assert.deepEqual(await world.sql(live, [first.account.id]), [{ id: second.session.id }]);
});

test('who is in no group stays out, and what they had opened before ends', async () => {
  const { id } = await provider('strict');
  idp.person = { sub: 'cleo', groups: ['kitchen'] };
  await assert.rejects(async () => finish(await browse(id)), { code: 'sign_in_refused' });
  assert.deepEqual(await world.sql(`select from identity.login_identity where subject = 'cleo'`), []);
  idp.person = { sub: 'cleo', groups: ['dev'] };
  const { account } = await finish(await browse(id));
  idp.person = { sub: 'cleo', groups: [] };
  await assert.rejects(async () => finish(await browse(id)), { code: 'sign_in_refused' });
  const live = 'select from identity.login_session where account = $1 and revoked_at is null';
  assert.deepEqual(await world.sql(live, [account.id]), []);
});

test('who was removed is not let in again by the provider', async () => {
  const { id } = await provider('removed');
  idp.person = { sub: 'dora', groups: ['dev'] };
  const { account } = await finish(await browse(id));
  await world.sql('update identity.member set removed_at = now() where account = $1', [account.id]);
  await assert.rejects(async () => finish(await browse(id)), { code: 'sign_in_refused' });
});

test('A-11: the same address, or the same subject, at another provider is somebody else', async () => {
  const first = await provider('first');
  const second = await provider('second', other);
  idp.person = { sub: 'eve', email: 'eve@example.com', email_verified: true, groups: ['dev'] };
  other.person = { sub: 'eve', email: 'eve@example.com', email_verified: false, groups: ['dev'] };
  const one = await finish(await browse(first.id));
  const two = await finish(await browse(second.id, other));
  assert.notEqual(one.account.id, two.account.id);
});

test('A-4: nobody is signed in, and no code is redeemed, with a state that is missing, foreign or used before', async () => {
  const { id } = await provider('states');
  const elsewhere = await provider('elsewhere');
  idp.person = { sub: 'finn', groups: ['dev'] };
  const mine = await browse(id);
  const theirs = await browse(id);
  const asked = tokensAsked();
  const count = await sessions();
  const without = new URLSearchParams(mine.query);
  without.delete('state');
  const twice = `${mine.query}&state=${new URLSearchParams(mine.query).get('state')}`;
  for (const back of [
    { ...mine, query: without.toString() },
    { ...mine, query: twice },
    { ...mine, query: theirs.query },
    { ...mine, ticket: theirs.ticket },
    { ...mine, ticket: '' },
    { ...mine, ticket: mine.ticket.slice(0, -4) + (mine.ticket.endsWith('AAAA') ? 'BBBB' : 'AAAA') },
    { ...mine, login: elsewhere.id },
  ]) {
    await assert.rejects(finish(back), { code: 'invalid_sign_in', status: 400 });
  }
  assert.equal(tokensAsked(), asked);
  await finish(mine);
  assert.equal(tokensAsked(), asked + 1);
  await assert.rejects(finish(mine), { code: 'invalid_sign_in' });
  assert.equal(tokensAsked(), asked + 1);
  assert.equal(await sessions(), count + 1);
  const late = await browse(id);
  world.pass(601_000);
  await assert.rejects(finish(late), { code: 'invalid_sign_in' });
  world.pass(-601_000);
});

test('A-4: nobody is signed in with a nonce, a verifier or a method that is not ours', async () => {
  const { id } = await provider('changed');
  idp.person = { sub: 'gwen', groups: ['dev'] };
  const count = await sessions();
  const changes: ((url: URL) => void)[] = [
    (url) => url.searchParams.set('nonce', 'of-somebody-else'),
    (url) => url.searchParams.delete('nonce'),
    (url) => url.searchParams.set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'),
  ];
  for (const location of changes) {
    const back = await browse(id, idp, { location });
    await assert.rejects(finish(back), { code: 'invalid_sign_in' });
  }
  for (const location of [
    (url: URL) => url.searchParams.set('code_challenge_method', 'plain'),
    (url: URL) => url.searchParams.delete('code_challenge'),
  ]) {
    const back = await browse(id, idp, { location });
    await assert.rejects(finish(back), { code: 'invalid_sign_in' });
  }
  assert.equal(await sessions(), count);
});

test('A-4: an answer that names another issuer, or none, never leads to a redeemed code (mix-up)', async () => {
  const honest = await provider('honest');
  await provider('mixed', other);
  idp.person = { sub: 'hugo', groups: ['dev'] };
  const asked = tokensAsked() + tokensAsked(other);
  for (const answer of [
    (url: URL) => url.searchParams.set('iss', other.issuer),
    (url: URL) => url.searchParams.delete('iss'),
    (url: URL) => url.searchParams.append('iss', other.issuer),
  ]) {
    const back = await browse(honest.id, idp, { answer });
    await assert.rejects(finish(back), { code: 'invalid_sign_in' });
  }
  assert.equal(tokensAsked() + tokensAsked(other), asked);
});

test('a code is redeemed once, whoever brings it', async () => {
  const { id } = await provider('codes');
  idp.person = { sub: 'ines', groups: ['dev'] };
  const first = await browse(id);
  await finish(first);
  const second = await browse(id);
  const query = new URLSearchParams(second.query);
  query.set('code', new URLSearchParams(first.query).get('code') as string);
  await assert.rejects(finish({ ...second, query: query.toString() }), { code: 'invalid_sign_in' });
});

test('a provider that signs with a new key is followed at once', async () => {
  const { id } = await provider('rotating');
  idp.person = { sub: 'jan', groups: ['dev'] };
  await finish(await browse(id));
  await idp.rotate();
  await finish(await browse(id));
});

test('what the provider refuses is told, and leaves nothing', async () => {
  const { id } = await provider('refusing');
  const begun = await world.identity.beginSignIn(world.system, { login: id });
  const state = new URL(begun.location).searchParams.get('state') as string;
  const query = new URLSearchParams({ error: 'access_denied', state, iss: idp.issuer }).toString();
  await assert.rejects(finish({ login: id, ticket: begun.ticket, query, visit }), /access_denied/);
});

test('A-6: a sign-in leads back to our own paths only', async () => {
  const { id } = await provider('returning');
  idp.person = { sub: 'kim', groups: ['dev'] };
  for (const return_to of [
    '//evil.example',
    '/\\evil.example',
    'https:evil.example',
    '/a\r\nSet-Cookie: a=b',
    '/%0d%0a\\',
  ]) {
    const { location, ticket } = await world.identity.beginSignIn(world.system, { login: id, return_to });
    const query = new URL(await idp.browse(location)).search.slice(1);
    assert.equal((await finish({ login: id, ticket, query, visit })).return_to, '/');
  }
});

async function listInDirectory(external: string, address: string, removed: boolean, to = world.alpha): Promise<string> {
  const account = randomUUID();
  const { workspace } = to;
  await world.sql(`insert into identity.account (id, name, directory, created_at) values ($1, $2, $3, now())`, [
    account,
    external,
    workspace,
  ]);
  await world.sql(
    `insert into identity.member (workspace, account, role, source, created_at, removed_at)
     values ($1, $2, 'runner', 'scim', now(), case when $3 then now() end)`,
    [workspace, account, removed],
  );
  await world.sql(
    `insert into identity.scim_user (workspace, account, user_name, external_id, emails, addresses, created_at, updated_at)
     values ($1, $2, $3, $4, '[]', array[$3], now(), now())`,
    [workspace, account, address, external],
  );
  return account;
}

test('whom the directory names as the only provider does is the same person, with the role of the directory', async () => {
  const { workspace } = await world.identity.createWorkspace(world.system, { name: 'gamma' });
  const gamma = { ...world.alpha, workspace: workspace.id };
  const { id } = await provider('listed', idp, {}, gamma);
  const account = await listInDirectory('lena-id', 'lena@example.com', false, gamma);
  idp.person = { sub: 'lena-id', email: 'lena@example.com', groups: ['dev'] };
  assert.equal((await finish(await browse(id))).account.id, account);
  assert.equal((await finish(await browse(id))).account.id, account);
  const [member] = await world.sql('select role from identity.member where account = $1', [account]);
  assert.deepEqual(member, { role: 'runner' });
  await provider('second', other, {}, gamma);
  const unclaimed = await listInDirectory('luna-id', 'luna@example.com', false, gamma);
  idp.person = { sub: 'luna-id', groups: ['dev'] };
  assert.notEqual((await finish(await browse(id))).account.id, unclaimed);
});

test('an address alone makes nobody the person of the directory', async () => {
  const { id } = await provider('addressed');
  const account = await listInDirectory('mona-id', 'mona@example.com', false);
  idp.person = { sub: 'stranger', email: 'mona@example.com', email_verified: true, groups: ['dev'] };
  assert.notEqual((await finish(await browse(id))).account.id, account);
});

test('whom the directory has taken out does not come back as somebody new', async () => {
  const { id } = await provider('gone');
  await listInDirectory('nils-id', 'nils@example.com', true);
  for (const sub of ['nils-id', 'another-id']) {
    idp.person = { sub, email: 'Nils@example.com', groups: ['dev'] };
    await assert.rejects(async () => finish(await browse(id)), { code: 'sign_in_refused' });
  }
});

test('whom the directory has taken out does not come back with an account of another workspace', async () => {
  const theirs = await provider('elsewhere', idp, {}, world.beta);
  idp.person = { sub: 'olga-id', email: 'olga@example.com', groups: ['dev'] };
  await finish(await browse(theirs.id));
  const { id } = await provider('gone-too');
  await listInDirectory('another-olga', 'olga@example.com', true);
  await assert.rejects(async () => finish(await browse(id)), { code: 'sign_in_refused' });
  // The directory names them anew, by their id: then they come in.
  await listInDirectory('olga-id', 'olga.new@example.com', false);
  assert.ok((await finish(await browse(id))).secret);
});
