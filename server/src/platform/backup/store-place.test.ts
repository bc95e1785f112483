import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { type StoreServer, startStoreServer } from '../testing/store-server.ts';
import { openPlaces, type Places } from './places.ts';

const settings = {
  access_key_id: 'AKIDTEST',
  secret_access_key: 'a secret/with+signs',
  session_token: undefined,
  region: 'eu-test-1',
};
// Waits between attempts are not what is tested.
const clock = { ...systemClock, sleep: () => Promise.resolve() };
let store: StoreServer;
let places: Places;

before(async () => {
  store = await startStoreServer({ id: 'AKIDTEST', secret: settings.secret_access_key, region: settings.region });
  places = openPlaces({ ...settings, endpoint: store.url }, clock);
});
beforeEach(() => {
  store.objects.clear();
  store.uploads.clear();
});
after(async () => {
  await places.close();
  await store.close();
});

async function put(place: string, bytes: Buffer, name = 'named.backup') {
  const destination = await places.create(place, name);
  for (let at = 0; at < bytes.length; at += 700_000) await destination.write(bytes.subarray(at, at + 700_000));
  return destination;
}

test('what was written in parts is read in ranges, from the start and from the middle', async () => {
  const bytes = randomBytes(9 * 1024 * 1024 + 17);
  const destination = await put("s3://bucket/nightly (1)/it's ü.backup", bytes);
  assert.equal(store.objects.size, 0);
  await destination.finish();
  const source = await places.open(destination.name);
  assert.equal(source.size, bytes.length);
  const pieces: Buffer[] = [];
  for await (const piece of source.stream(5)) pieces.push(piece);
  assert.ok(Buffer.concat(pieces).equals(bytes.subarray(5)));
  assert.ok((await source.read(1_000, 24)).equals(bytes.subarray(1_000, 1_024)));
});

test('a prefix gets a file named by the time, and its neighbour is found', async () => {
  await (await put('s3://bucket/nightly/', Buffer.from('new'))).finish();
  await (await put('s3://bucket/nightly/old.backup', Buffer.from('older'))).finish();
  const source = await places.open('s3://bucket/nightly/named.backup');
  assert.equal((await source.beside('old.backup'))?.size, 5);
  assert.equal(await source.beside('none.backup'), undefined);
});

test('a name that is taken is not overwritten', async () => {
  await (await put('s3://bucket/a', Buffer.from('1'))).finish();
  await assert.rejects(places.create('s3://bucket/a', ''), { code: 'already_exists' });
});

test('what is given up leaves neither an object nor parts', async () => {
  const destination = await put('s3://bucket/a', randomBytes(9 * 1024 * 1024));
  assert.equal(store.uploads.size, 1);
  await destination.abort();
  assert.deepEqual([store.objects.size, store.uploads.size], [0, 0]);
});

test('what passes by is tried again, and what stays is told', async () => {
  const destination = await put('s3://bucket/a', Buffer.from('1'));
  store.failNext(503, 2);
  await destination.finish();
  store.failNext(0, 1);
  assert.equal((await places.open('s3://bucket/a')).size, 1);
  store.failNext(503, 4);
  await assert.rejects(places.open('s3://bucket/a'), /answered 503/);
});

test('an error inside a 200 is an error', async () => {
  const destination = await put('s3://bucket/a', randomBytes(9 * 1024 * 1024));
  // The store has lost the first part.
  for (const parts of store.uploads.values()) parts.clear();
  await assert.rejects(destination.finish(), /InvalidPart/);
  assert.equal(store.objects.size, 0);
});

test('another secret, region, bucket or a missing key is told with what to set', async () => {
  const open = (changed: object) =>
    openPlaces({ ...settings, endpoint: store.url, ...changed }, clock).open('s3://bucket/a');
  await assert.rejects(open({ secret_access_key: 'x' }), /403.*AWS_SECRET_ACCESS_KEY/);
  await assert.rejects(open({ region: 'us-east-1' }), /403.*AWS_REGION/);
  await assert.rejects(open({ access_key_id: undefined }), /Set AWS_ACCESS_KEY_ID/);
  await assert.rejects(places.open('s3://other/a'), /404/);
});

test('addresses that name nothing are refused', async () => {
  for (const place of [
    's3://',
    's3://B/x',
    's3://bucket/a/../b',
    's3://bucket/..',
    's3://bucket//x',
    'https://x/y',
    '',
  ]) {
    await assert.rejects(places.create(place, 'n'), { code: 'invalid_request' }, place);
  }
  await assert.rejects(places.open('s3://bucket/folder/'), /Name one backup/);
});
