import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { createEgress } from '../egress/egress.ts';
import { kmsCredentials, kmsKey, startKmsServer } from '../testing/kms-server.ts';
import { testKek } from '../testing/test-keys.ts';
import { type KeyServer, startTransitServer } from '../testing/vault-transit-server.ts';
import { createAwsKmsKey } from './aws-kms-key.ts';
import { readEnvironmentKeys } from './environment-key.ts';
import { createLocalWrappingKey } from './local-wrapping-key.ts';
import { createVaultTransitKey, type VaultSettings } from './vault-transit-key.ts';
import { type WrappingKey, wrapChecked } from './wrapping-key.ts';

// Ten times as fast, so that waiting for who never answers takes half a second.
const clock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 10,
  after: (ms, call) => systemClock.after(ms / 10, call),
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
};
const egress = createEgress({ allow: [], clock });
const vault = await startTransitServer();
const kms = await startKmsServer();
after(() => Promise.all([vault.close(), kms.close(), egress.close()]));

const standard: VaultSettings = { url: vault.url, key: 'damask', mount: 'transit', authMount: 'approle' };
const transit = (more: Partial<VaultSettings>) =>
  createVaultTransitKey({ settings: { ...standard, ...more }, egress, clock });
const aws = (credentials = kmsCredentials, key = kmsKey) =>
  createAwsKmsKey({ settings: { key, credentials, endpoint: `${kms.url}/` }, egress, clock });
const [ofVariable] = readEnvironmentKeys(randomBytes(32).toString('base64'));

const adapters: readonly (readonly [string, WrappingKey, KeyServer | null])[] = [
  ['a key file', createLocalWrappingKey(testKek(), 'file', 'master.key'), null],
  ['a variable', createLocalWrappingKey(ofVariable ?? testKek(), 'environment', 'DAMASK_KEY'), null],
  ['Vault by token', transit({ token: 'root-token' }), vault],
  ['Vault by AppRole', transit({ roleId: 'role', secretId: 'secret' }), vault],
  ['AWS KMS', aws(), kms],
];

const context = { workspace: '0199a000-0000-7000-8000-000000000001', version: 1 };
const unavailable = { name: 'AppError', code: 'unavailable' };

for (const [name, key, keeper] of adapters) {
  test(`${name}: what was wrapped comes back, and two wrappings of one key differ`, async () => {
    const bytes = randomBytes(32);
    const wrapped = await key.wrap(context, bytes);
    assert.ok(!wrapped.includes(bytes) && !wrapped.toString().includes(bytes.toString('base64')));
    assert.deepEqual(await key.unwrap(context, wrapped), bytes);
    assert.notDeepEqual(await key.wrap(context, bytes), wrapped);
    assert.deepEqual(await key.unwrap(context, await key.rewrap(context, wrapped)), bytes);
  });

  test(`${name}: a wrapped key that was moved to another workspace or version, or was changed, does not open`, async () => {
    const wrapped = await key.wrap(context, randomBytes(32));
    const moved = [
      { ...context, version: 2 },
      { ...context, workspace: context.workspace.replace(/1$/, '2') },
    ];
    for (const other of moved) {
      await assert.rejects(key.unwrap(other, wrapped), unavailable);
      await assert.rejects(key.rewrap(other, wrapped), unavailable);
    }
    const changed = Buffer.from(wrapped);
    const at = changed.length - 4;
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(key.unwrap(context, changed), unavailable);
    await assert.rejects(key.unwrap(context, Buffer.alloc(0)), unavailable);
  });

  test(`${name}: says what it is and that it works, without saying what it holds`, async () => {
    const facts = await key.describe();
    assert.deepEqual([facts.source, facts.id], [key.source, key.id]);
    assert.equal(await key.health(), null);
    assert.doesNotMatch(JSON.stringify(facts), /root-token|a secret of tests/);
  });

  if (!keeper) continue;

  test(`${name}: F48: a keeper that is down, silent, refuses, throttles or fails is an error in time that says what to do`, async () => {
    const wrapped = await key.wrap(context, randomBytes(32));
    for (const fault of ['down', 'slow', 'refuses', 'throttles', 'fails'] as const) {
      keeper.fault = fault;
      const told = await key.unwrap(context, wrapped).then(
        () => 'nothing',
        (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
      );
      assert.match(told, /^unavailable: .{20,}\.$/, fault);
      assert.doesNotMatch(told, /root-token|lent-|a secret/);
      assert.notEqual(await key.health(), null, fault);
    }
    keeper.fault = 'none';
    assert.equal((await key.unwrap(context, wrapped)).length, 32);
    assert.equal(await key.health(), null);
  });

  test(`${name}: what passes by within the time is not noticed`, async () => {
    const wrapped = await key.wrap(context, randomBytes(32));
    keeper.fault = 'throttles';
    const opening = key.unwrap(context, wrapped);
    while (!/decrypt/i.test(keeper.asked.at(-1) ?? '')) await systemClock.sleep(1);
    keeper.fault = 'none';
    assert.equal((await opening).length, 32);
  });

  test(`${name}: after its keeper turned the key, old wrappings open and are brought to the new version`, async () => {
    const bytes = randomBytes(32);
    const old = await key.wrap(context, bytes);
    keeper.turn();
    assert.deepEqual(await key.unwrap(context, old), bytes);
    const begun = keeper.asked.length;
    const fresh = await key.rewrap(context, old);
    assert.deepEqual(
      keeper.asked.slice(begun).filter((one) => /^decrypt$/i.test(one)),
      [],
      'the key came here',
    );
    if (keeper === vault) vault.minDecryptionVersion = (await key.describe()).version ?? 0;
    if (keeper === vault) await assert.rejects(key.unwrap(context, old), unavailable);
    assert.deepEqual(await key.unwrap(context, fresh), bytes);
    vault.minDecryptionVersion = 1;
  });
}

test('a keeper that answers something else than it was given to keep is found out before anything is stored', async () => {
  const [[, key]] = adapters as [(typeof adapters)[number]];
  const bytes = randomBytes(32);
  assert.deepEqual(await key.unwrap(context, await wrapChecked(key, context, bytes)), bytes);
  const nonsense = async () => Buffer.from('vault:v1:bm9uc2Vuc2U=');
  await assert.rejects(wrapChecked({ ...key, wrap: nonsense }, context, bytes), unavailable);
  const another = () => key.wrap(context, randomBytes(32));
  await assert.rejects(wrapChecked({ ...key, wrap: another }, context, bytes), /does not give back what it wrapped/);
});

test('Vault: a lent token that was revoked is replaced once, and one that is refused is told', async () => {
  const key = transit({ roleId: 'role', secretId: 'secret' });
  const wrapped = await key.wrap(context, randomBytes(32));
  for (const token of vault.tokens) if (token.startsWith('lent-')) vault.tokens.delete(token);
  assert.equal((await key.unwrap(context, wrapped)).length, 32);
  await assert.rejects(transit({ roleId: 'role', secretId: 'other' }).wrap(context, randomBytes(32)), /AppRole/);
  await assert.rejects(transit({ token: 'guess' }).wrap(context, randomBytes(32)), /refuses this token/);
  await assert.rejects(transit({ token: 'root-token', key: 'other' }).wrap(context, randomBytes(32)), /no key other/);
});

test('AWS KMS: a key that is disabled or about to go, another key and a wrong signature are told', async () => {
  const wrapped = await aws().wrap(context, randomBytes(32));
  for (const state of ['Disabled', 'PendingDeletion'] as const) {
    kms.state = state;
    await assert.rejects(aws().unwrap(context, wrapped), /disabled/);
    assert.match((await aws().health()) ?? '', new RegExp(state));
  }
  kms.state = 'Enabled';
  await assert.rejects(aws({ ...kmsCredentials, secretAccessKey: 'guess' }).unwrap(context, wrapped), /access key/);
  await assert.rejects(aws(kmsCredentials, kmsKey.replace(/.$/, 'c')).unwrap(context, wrapped), /no such key/);
});

test('a variable takes random keys, and refuses short ones, words and examples', () => {
  for (let time = 0; time < 50; time++) {
    const bytes = randomBytes(32);
    const older = randomBytes(32).toString('hex');
    const [first, second] = readEnvironmentKeys(`${bytes.toString('base64')}, ${older}`);
    assert.deepEqual(first?.key.export(), bytes);
    assert.equal(second?.key.export().toString('hex'), older);
  }
  const counted = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
  const refused = [
    'secret',
    '',
    randomBytes(16).toString('base64'),
    randomBytes(33).toString('base64'),
    Buffer.alloc(32).toString('base64'),
    Buffer.alloc(32, 'ab').toString('hex'),
    counted.toString('base64'),
    Buffer.from('change-me-please-change-me-pleas').toString('base64'),
    `${randomBytes(32).toString('base64')},`,
  ];
  for (const text of refused) {
    assert.throws(() => readEnvironmentKeys(text), { code: 'invalid_request', message: /DAMASK_KEY/ }, text);
  }
});
