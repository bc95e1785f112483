import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import { memoryDestination, memorySource } from '../testing/memory-place.ts';
import { frameKey, openBackup, writeEnd, writeHead } from './backup-file.ts';
import { createFrameWriter } from './write-frames.ts';

const kek: KeyEncryptionKey = { key: createSecretKey(randomBytes(32)), id: 'key one' };
const head = { backup: 'b', kek: kek.id, salt: randomBytes(32).toString('base64'), begun_at: 'now', damask: '0' };
const bodies = [Buffer.from('{}'), Buffer.alloc(3_000, 'rows '), randomBytes(500), Buffer.from('{}')];

async function makeFile(): Promise<{ bytes: Buffer; starts: number[] }> {
  const { destination, bytes } = memoryDestination();
  const headBytes = writeHead(head);
  await destination.write(headBytes);
  const writer = createFrameWriter(destination, frameKey(kek, head, headBytes), headBytes.length);
  for (const body of bodies) await writer.add('data', body);
  const { offset, number } = await writer.finish('manifest', Buffer.from('{"tables":[],"migrations":[]}'));
  await destination.write(writeEnd(offset, number));
  const file = bytes();
  const starts = [];
  for (let at = headBytes.length; at < offset + 1; at += 4 + file.readUInt32BE(at)) starts.push(at);
  return { bytes: file, starts };
}

async function readAll(bytes: Buffer, key = kek) {
  const backup = await openBackup(memorySource(bytes));
  await backup.readManifest(key);
  const found = [];
  for await (const frame of backup.frames(key)) found.push(frame);
  return found;
}

test('a file gives back its frames in order, and the last one without reading the others', async () => {
  const { bytes } = await makeFile();
  const frames = await readAll(bytes);
  assert.deepEqual(
    frames.slice(0, -1).map(({ body }) => body),
    bodies,
  );
  assert.equal(frames.at(-1)?.kind, 'manifest');
});

test('no byte can be changed', async () => {
  const { bytes } = await makeFile();
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(readAll(changed), `byte ${at}`);
  }
});

test('it cannot be cut off anywhere, nor can anything be added', async () => {
  const { bytes } = await makeFile();
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(readAll(bytes.subarray(0, length)), { code: 'invalid_request' }, `length ${length}`);
  }
  await assert.rejects(readAll(Buffer.concat([bytes, Buffer.from([0])])), { code: 'invalid_request' });
});

test('frames cannot be swapped, repeated or left out', async () => {
  const { bytes, starts } = await makeFile();
  const cut = (from: number) => bytes.subarray(starts[from], starts[from + 1] ?? bytes.length - 24);
  const build = (order: readonly number[]) => {
    const parts = order.map(cut);
    const before = bytes.subarray(0, starts[0]);
    const last = before.length + parts.slice(0, -1).reduce((sum, part) => sum + part.length, 0);
    return Buffer.concat([before, ...parts, writeEnd(last, order.length - 1)]);
  };
  assert.equal((await readAll(build([0, 1, 2, 3, 4]))).length, 5);
  for (const order of [[1, 0, 2, 3, 4], [0, 0, 1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 2, 3], [4], [0, 1, 2, 4, 3]]) {
    await assert.rejects(readAll(build(order)), { code: 'invalid_request' }, String(order));
  }
  // The manifest alone opens under its own number, and so the frames before it are missed.
  const alone = Buffer.concat([bytes.subarray(0, starts[0]), cut(4), writeEnd(starts[0] as number, 4)]);
  await assert.rejects(readAll(alone), { code: 'invalid_request' });
});

test('another key is named, before anything is read', async () => {
  const { bytes } = await makeFile();
  const other = { key: createSecretKey(randomBytes(32)), id: 'key two' };
  await assert.rejects(readAll(bytes, other), /sealed with the key key one, which is not at hand/);
  await assert.rejects(readAll(bytes, { ...other, id: 'key one' }), { code: 'invalid_request' });
});

test('a newer form and a file of something else are refused with what to do', async () => {
  const { bytes } = await makeFile();
  const newer = Buffer.from(bytes);
  newer.writeUInt16BE(2, 8);
  await assert.rejects(openBackup(memorySource(newer)), /form 2.*reads up to 1. Install/);
  for (const other of ['', 'PGDMP', 'x'.repeat(5_000)]) {
    await assert.rejects(openBackup(memorySource(Buffer.from(other))), /no backup of Damask/);
  }
});
