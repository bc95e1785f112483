import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type IdentityForTests, identityForTests } from '../identity-for-tests.ts';

let world: IdentityForTests;

before(async () => {
  world = await identityForTests({ publicUrl: 'https://damask.example' });
});

after(() => world.stop());

const put = (more: object = {}, context = world.alpha) =>
  world.identity.putIdentityProvider(context, {
    identity_provider: 'corp',
    issuer: 'https://login.example.com',
    client_id: 'damask',
    ...more,
  });

test('a provider is entered, shown without its secret, changed and removed', async () => {
  const made = await put({ client_secret: 'of the tests', email_domains: ['example.com'] });
  assert.equal(made.has_secret, true);
  assert.equal(made.redirect_uri, `https://damask.example/login/oidc/${made.id}/callback`);
  const again = await put({ default_role: 'viewer' });
  assert.deepEqual([again.id, again.has_secret, again.email_domains], [made.id, true, ['example.com']]);
  assert.doesNotMatch(JSON.stringify(again), /of the tests/);
  const [stored] = await world.sql<{ client_secret: Buffer }>('select client_secret from identity.identity_provider');
  assert.ok(!stored?.client_secret.includes('of the tests'));
  const { items } = await world.identity.listIdentityProviders(world.alpha, {});
  assert.deepEqual(items, [again]);
  assert.deepEqual((await world.identity.listIdentityProviders(world.beta, {})).items, []);
  await assert.rejects(world.identity.deleteIdentityProvider(world.beta, { identity_provider: 'corp' }), {
    code: 'not_found',
  });
  await world.identity.deleteIdentityProvider(world.alpha, { identity_provider: 'corp' });
  await assert.rejects(world.identity.readIdentityProvider(world.alpha, { identity_provider: 'corp' }), {
    code: 'not_found',
  });
});

test('what it does leaves an audit row and an event, and neither holds the secret', async () => {
  const context = { ...world.alpha, requestId: world.system.requestId };
  await put({ identity_provider: 'seen', client_secret: 'of the tests' }, context);
  await world.identity.deleteIdentityProvider(context, { identity_provider: 'seen' });
  const left = await world.leftBy(context);
  assert.deepEqual(
    left.events.map(({ name }) => name),
    ['identity.provider-put', 'identity.provider-deleted'],
  );
  assert.deepEqual(
    left.audit.map(({ action }) => action),
    ['putIdentityProvider', 'deleteIdentityProvider'],
  );
  assert.doesNotMatch(JSON.stringify(left), /of the tests/);
});

test('what could not work, or would be a trap, is refused', async () => {
  const refused: [object, string, string][] = [
    [{ issuer: 'no address' }, 'invalid_request', '/issuer'],
    [{ issuer: 'http://login.example.com' }, 'invalid_request', '/issuer'],
    [{ issuer: 'https://login.example.com?x=1' }, 'invalid_request', '/issuer'],
    [{ issuer: 'https://10.0.0.1' }, 'egress_denied', '/issuer'],
    [{ client_secret: 'a\nb' }, 'invalid_request', '/client_secret'],
    [{ audience: 'damask' }, 'policy_refused', '/audience'],
    [{ sso_only: true }, 'invalid_request', '/email_domains'],
    [{ email_domains: ['Example.com'] }, 'invalid_request', '/email_domains/0'],
    [{ roles: [{ group: 'g', role: 'god' }] }, 'invalid_request', '/roles/0/role'],
  ];
  for (const [more, code, pointer] of refused) {
    await assert.rejects(
      put({ identity_provider: 'bad', ...more }),
      (error: { code: string; details: { pointer: string } }) => {
        assert.deepEqual([error.code, error.details.pointer], [code, pointer]);
        return true;
      },
    );
  }
});

test('a secret is not sent to another issuer by someone who does not know it', async () => {
  await put({ identity_provider: 'moving', client_secret: 'x' });
  const moved = { identity_provider: 'moving', issuer: 'https://evil.example.com' };
  await assert.rejects(put(moved), { code: 'secret_required' });
  await put({ ...moved, client_secret: 'y' });
});

test('Z-5: nobody lets groups or machines be more than they are themselves', async () => {
  const admin = world.as(world.alpha, 'admin');
  for (const more of [{ roles: [{ group: 'g', role: 'owner' }] }, { default_role: 'owner' }]) {
    await assert.rejects(put({ identity_provider: 'high', ...more }, admin), { code: 'forbidden' });
  }
});
