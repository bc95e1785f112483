import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { open, seal } from './seal.ts';

const key = createSecretKey(randomBytes(32));
const place = { workspace: 'w', table: 't', row: 'r', column: 'c' };
const header = Buffer.from([1, 2, 3]);
const texts = {
  short: Buffer.from('short'),
  middle: Buffer.alloc(5_000, 'middle '),
  long: Buffer.alloc(300_000, 'long '),
};

for (const [name, text] of Object.entries(texts)) {
  test(`a ${name} text comes out as it went in`, async () => {
    assert.deepEqual(await open(key, place, 3, await seal(key, place, header, text)), text);
  });
}

test('a value that was moved to another row, column, table or workspace cannot be opened', async () => {
  const sealed = await seal(key, place, header, texts.short);
  for (const field of ['workspace', 'table', 'row', 'column']) {
    await assert.rejects(open(key, { ...place, [field]: 'other' }, 3, sealed));
  }
});

test('no bit can be changed and no byte cut off', async () => {
  const sealed = await seal(key, place, header, texts.short);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(open(key, place, 3, changed), `byte ${at}`);
    await assert.rejects(open(key, place, 3, sealed.subarray(0, at)), `cut at ${at}`);
  }
});

test('another key does not open it, and two sealings of one text differ', async () => {
  const sealed = await seal(key, place, header, texts.short);
  await assert.rejects(open(createSecretKey(randomBytes(32)), place, 3, sealed));
  assert.notDeepEqual(await seal(key, place, header, texts.short), sealed);
});

test('a small value that would unfold to more than the limit is refused', async () => {
  const bomb = await seal(key, place, header, Buffer.alloc(65 * 1024 * 1024));
  assert.ok(bomb.length < 100_000);
  await assert.rejects(open(key, place, 3, bomb));
});
