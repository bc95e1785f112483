import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { type BrowserForTests, browserForTests } from './browser-for-tests.ts';
import { type Ask, type PasskeyForTests, passkeyForTests } from './passkey-for-tests.ts';

let platform: TestPlatform;
let pool: pg.Pool;
let origin: string;
before(async () => {
  platform = await startTestPlatform();
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  origin = `http://localhost:${new URL(platform.url).port}`;
});
after(async () => {
  await pool.end();
  await platform.stop();
});

async function add(browser: BrowserForTests, passkey: PasskeyForTests, ask: Partial<Ask> = {}) {
  const { body } = await browser.call('POST', '/v1/me/passkeys/options', {});
  const made = passkey.make({ challenge: body.options.challenge, origin, ...ask });
  return browser.call('POST', '/v1/me/passkeys', { name: 'laptop', passkey: made, state: body.state });
}

const begin = async () => (await platform.call('POST', '/v1/login/passkey/options', {}, { key: null })).body;
const finish = (passkey: Record<string, unknown>, state: string) =>
  platform.call('POST', '/v1/login/passkey', { passkey, state }, { key: null });
async function signIn(passkey: PasskeyForTests, ask: Partial<Ask> = {}) {
  const { options, state } = await begin();
  return finish(passkey.use({ challenge: options.challenge, origin, ...ask }), state);
}

test('a passkey is added, gives another cookie, signs in, is listed and deleted', async () => {
  const browser = await browserForTests(platform);
  const passkey = passkeyForTests();
  const before = browser.cookie();
  const { body: asked } = await browser.call('POST', '/v1/me/passkeys/options', {});
  assert.equal(asked.options.rp.id, 'localhost');
  assert.equal(asked.options.authenticatorSelection.userVerification, 'required');
  const added = await add(browser, passkey);
  assert.equal(added.status, 201, added.text);
  assert.notEqual(browser.cookie(), before);
  assert.equal((await browser.call('GET', '/v1/login', undefined, { cookie: before })).status, 401);
  const again = await add(browser, passkey);
  assert.deepEqual([again.status, again.body.code], [409, 'already_exists']);
  const entered = await signIn(passkey);
  assert.equal(entered.status, 200, entered.text);
  assert.equal(entered.body.account.id, browser.login.account.id);
  assert.match(entered.headers.get('set-cookie') ?? '', /^damask=dms_.*HttpOnly; SameSite=Lax$/);
  const { items } = (await browser.call('GET', '/v1/me/passkeys')).body;
  assert.deepEqual([items.length, items[0].name, typeof items[0].used_at], [1, 'laptop', 'string']);
  assert.equal((await browser.call('DELETE', `/v1/me/passkeys/${items[0].id}`)).status, 200);
  assert.equal((await browser.call('DELETE', `/v1/me/passkeys/${items[0].id}`)).status, 404);
  assert.equal((await signIn(passkey)).status, 401);
  const { rows } = await pool.query(
    `select action from identity.audit where workspace = $1 and subject = $2 order by id`,
    [platform.alpha.id, `passkey/${items[0].id}`],
  );
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['addPasskey', 'deletePasskey'],
  );
  const events = await pool.query(`select name from identity.outbox where data->>'passkey' = $1 order by id`, [
    items[0].id,
  ]);
  assert.deepEqual(
    events.rows.map(({ name }) => name),
    ['identity.passkey-added', 'identity.passkey-deleted'],
  );
});

test('what another page, another site, another ceremony or nobody in particular signed is refused, all with one answer', async () => {
  const browser = await browserForTests(platform);
  const passkey = passkeyForTests();
  assert.equal((await add(browser, passkey)).status, 201);
  const attacks: Partial<Ask>[] = [
    { origin: 'https://evil.example' },
    { origin: 'https://localhost' },
    { host: 'evil.example' },
    { type: 'webauthn.create' },
    { verified: false },
    { challenge: Buffer.alloc(32, 1).toString('base64url') },
  ];
  const answers = new Set<string>();
  for (const attack of attacks) {
    const { status, body, headers } = await signIn(passkey, attack);
    assert.deepEqual([status, headers.get('set-cookie')], [401, null], JSON.stringify(attack));
    answers.add(JSON.stringify([body.code, body.detail]));
    const added = await add(browser, passkeyForTests(), attack.type ? { type: 'webauthn.get' } : attack);
    assert.deepEqual([added.status, added.body.code], [401, 'sign_in_refused'], JSON.stringify(attack));
  }
  const { status, body } = await signIn(passkeyForTests());
  assert.equal(status, 401);
  answers.add(JSON.stringify([body.code, body.detail]));
  assert.equal(answers.size, 1);
});

test('an answer counts once, for the challenge of this act, and only unchanged', async () => {
  const browser = await browserForTests(platform);
  const passkey = passkeyForTests();
  assert.equal((await add(browser, passkey)).status, 201);
  const { options, state } = await begin();
  const used = passkey.use({ challenge: options.challenge, origin });
  const both = await Promise.all([finish(used, state), finish(used, state)]);
  assert.deepEqual(both.map((reply) => reply.status).sort(), [200, 401]);
  const other = await begin();
  assert.equal((await finish(used, other.state)).status, 401);
  assert.equal((await finish({ ...used, id: passkeyForTests().id }, state)).status, 401);
  assert.equal((await finish(used, `${state}A`)).status, 401);
  const { body: adding } = await browser.call('POST', '/v1/me/passkeys/options', {});
  const crossed = passkey.use({ challenge: adding.options.challenge, origin });
  assert.equal((await finish(crossed, adding.state)).status, 401);
  const bad = await finish({ ...used, signature: '' }, state);
  assert.deepEqual([bad.status, bad.body.code], [400, 'invalid_request']);
  const noise = Buffer.alloc(300, 0xff).toString('base64url');
  assert.equal((await finish({ ...used, signature: noise }, other.state)).status, 401);
  assert.equal((await finish({ ...used, authenticator_data: noise, client_data: noise }, other.state)).status, 401);
});

test('an authenticator whose count goes back was copied and is refused', async () => {
  const browser = await browserForTests(platform);
  const passkey = passkeyForTests();
  assert.equal((await add(browser, passkey, { counter: 5 })).status, 201);
  assert.equal((await signIn(passkey, { counter: 6 })).status, 200);
  assert.equal((await signIn(passkey, { counter: 6 })).status, 401);
  assert.equal((await signIn(passkey, { counter: 5 })).status, 401);
  assert.equal((await signIn(passkey, { counter: 7 })).status, 200);
});

test('passkeys belong to one account', async () => {
  const alpha = await browserForTests(platform);
  const beta = await browserForTests(platform, { workspace: platform.beta });
  const { body } = await alpha.call('POST', '/v1/me/passkeys/options', {});
  const made = passkeyForTests().make({ challenge: body.options.challenge, origin });
  const stolen = await beta.call('POST', '/v1/me/passkeys', { name: 'x', passkey: made, state: body.state });
  assert.deepEqual([stolen.status, stolen.body.code], [401, 'sign_in_refused']);
  assert.equal((await add(alpha, passkeyForTests())).status, 201);
  const [mine] = (await alpha.call('GET', '/v1/me/passkeys')).body.items;
  assert.equal((await beta.call('DELETE', `/v1/me/passkeys/${mine.id}`)).status, 404);
  assert.deepEqual((await beta.call('GET', '/v1/me/passkeys')).body.items, []);
});

test('U-2: what the certificates of a passkey name is never called', async () => {
  const called: string[] = [];
  const { fetch } = globalThis;
  // The library's own way out is the fetch of Node; whoever starts the server has closed it there.
  globalThis.fetch = async (url, init) => {
    if (!String(url).startsWith(platform.url)) called.push(String(url));
    return fetch(url, init);
  };
  try {
    const certificate = await certificateNaming('http://127.0.0.1:9/revoked.crl');
    for (const format of ['apple', 'android-key', 'packed'] as const) {
      const browser = await browserForTests(platform);
      const added = await add(browser, passkeyForTests(), {
        statement: { format, certificates: [certificate, certificate] },
      });
      assert.equal(added.body.code, 'sign_in_refused', format);
    }
    assert.deepEqual(called, []);
  } finally {
    globalThis.fetch = fetch;
  }
});

/** Made by itself; where to ask whether it was revoked is up to whoever made it. */
async function certificateNaming(url: string): Promise<Uint8Array> {
  const { X509CertificateGenerator, CRLDistributionPointsExtension } = await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=maker',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new CRLDistributionPointsExtension([url])],
  });
  return new Uint8Array(made.rawData);
}
