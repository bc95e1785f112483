import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type IdentityForTests, identityForTests } from '../identity-for-tests.ts';
import { startIdentityProvider, type TestIdentityProvider } from './oidc-provider-for-tests.ts';

let world: IdentityForTests;
let idp: TestIdentityProvider;
let provider: string;

before(async () => {
  idp = await startIdentityProvider();
  world = await identityForTests({ allow: [idp.host] });
  await world.identity.putServiceAccount(world.alpha, { service_account: 'robot', role: 'runner' });
  const put = await world.identity.putIdentityProvider(world.alpha, {
    identity_provider: 'corp',
    issuer: idp.issuer,
    client_id: 'damask',
    audience: 'here',
    machines: [{ client: 'ci', service_account: 'robot' }],
  });
  provider = put.id;
});

after(async () => {
  await idp.stop();
  await world.stop();
});

const verify = async () => {
  const now = Math.floor(Date.now() / 1_000);
  const token = await idp.sign({ iss: idp.issuer, aud: 'here', sub: 'ci', azp: 'ci', iat: now, exp: now + 300 });
  return world.identity.verifyToken(world.system, { provider, token });
};
const looks = () => idp.asked.filter((one) => one === 'GET /jwks').length;

test('a provider that signs with a new key is followed, and asked for its keys once in a while only', async () => {
  await verify();
  await verify();
  assert.equal(looks(), 1);
  await idp.rotate();
  assert.deepEqual(await verify(), { machine: null });
  assert.equal(looks(), 1);
  world.pass(6_000);
  assert.equal((await verify()).machine?.workspace, world.alpha.workspace);
  assert.equal(looks(), 2);
});

test('a provider that does not answer keeps nobody in or out by mistake: the token is refused as not checked', async () => {
  world.pass(700_000);
  await idp.stop();
  await assert.rejects(verify(), { code: 'unavailable' });
  idp = await startIdentityProvider();
});
