import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createStoreClient } from '../../server/src/platform/backup/store-client.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import { createEgress, type Egress } from '../../server/src/platform/egress/egress.ts';
import { createTokenKeys } from '../../server/src/services/identity/oidc/token-keys.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { eachMisdeed, type HostileServer, startHostileServer } from './hostile-server.ts';

const clock = { ...systemClock, sleep: () => Promise.resolve() };

let hostile: HostileServer;
let platform: TestPlatform;
let egress: Egress;

before(async () => {
  hostile = await startHostileServer();
  egress = createEgress({ allow: [hostile.host], clock: systemClock });
  platform = await startTestPlatform({
    environment: {
      DAMASK_EGRESS_ALLOW: hostile.host,
      DAMASK_PUBLIC_URL: 'http://127.0.0.1:7440',
    },
  });
});
after(async () => {
  await platform.stop();
  await egress.close();
  await hostile.close();
});

test('U-7: a provider that is asked what it has holds up nobody', async () => {
  await eachMisdeed(hostile, async (misdeed) => {
    const body = { base_url: `http://${hostile.host}/v1`, models: [] };
    const { status, body: put } = await platform.call('PUT', '/v1/providers/listed', body);
    assert.deepEqual([status, put.offered], [200, null], misdeed);
  });
});

test('U-7: a sign-in ends by what its provider sends', async () => {
  let number = 0;
  await eachMisdeed(hostile, async (misdeed) => {
    const issuer = `http://${hostile.host}/${number++}`;
    const made = await platform.call('PUT', '/v1/identity-providers/hostile', { issuer, client_id: 'damask' });
    const login = new URL(made.body.login_url).pathname;
    const begun = await platform.call('GET', login, undefined, { key: null });
    assert.deepEqual([begun.status, begun.body.code], [503, 'unavailable'], misdeed);
  });
});

test('U-7: keys of tokens are not taken from what is none', async () => {
  const keys = createTokenKeys({ egress, clock });
  let number = 0;
  await eachMisdeed(hostile, async (misdeed) => {
    await assert.rejects(
      keys.of(`http://${hostile.host}/${number++}`, null, 'RS256'),
      { code: 'unavailable' },
      misdeed,
    );
  });
});

test('U-7: a store of backups that answers so is told as out of order', async () => {
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'x', sessionToken: undefined, region: 'eu-test-1' };
  const send = createStoreClient({ egress, clock, credentials, endpoint: `http://${hostile.host}` });
  await eachMisdeed(hostile, async (misdeed) => {
    const reply = await send({ method: 'GET', object: { bucket: 'bucket', key: 'a' }, maxBytes: 100_000 }).catch(
      (error: { code: string }) => error,
    );
    // A page or a bomb of few bytes is a body like any other; its reader finds that it is no backup.
    const fits = 'code' in reply ? reply.code === 'unavailable' : reply.body.length < 100_000;
    assert.ok(fits, misdeed);
  });
});
