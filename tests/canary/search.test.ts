import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { makeTar, makeZip } from '../../server/src/services/pattern/transfer/archives-for-tests.ts';
import { type Canary, chance, formCount, formsOf } from './canary.ts';
import { createSearch } from './search.ts';

const canaries: Canary[] = ['one', 'two', 'three'].map((name) => ({
  name,
  kind: 'secret',
  core: Buffer.from(chance(24)),
}));
const search = createSearch(canaries);
const found = (content: Buffer | string) => [
  ...new Set(search.look('a control', content).map(({ canary, form }) => `${canary.name} ${form}`)),
];

test('a canary is found in every form, at any place', (t) => {
  for (const { name, core } of canaries) {
    for (const [form, bytes] of formsOf(core)) {
      for (const before of ['', 'x', 'some text "']) {
        assert.ok(
          found(Buffer.concat([Buffer.from(before), bytes, Buffer.from('" and more')])).includes(`${name} ${form}`),
        );
      }
    }
  }
  t.diagnostic(`${canaries.length} canaries, ${formCount} forms`);
});

test('what encodes a text around it does not hide it', () => {
  const [{ core }] = canaries as [Canary];
  const said = `Bearer sk-${core}, "quoted" \\ and so on`;
  for (const text of [
    JSON.stringify({ a: JSON.stringify({ said }) }),
    encodeURIComponent(said),
    new URLSearchParams({ said }).toString(),
    Buffer.from(said).toString('base64'),
    Buffer.from(`.${said}`).toString('base64url'),
    Buffer.from(Buffer.from(`..${said}`).toString('base64')).toString('base64'),
    Buffer.from(said).toString('hex'),
    JSON.stringify(Buffer.from(said)),
    said.replaceAll('"', '&quot;'),
  ]) {
    assert.equal(found(text).length > 0, true, text);
  }
});

test('what is packed is unpacked, also inside of other bytes and of another packing', () => {
  const [{ core }] = canaries as [Canary];
  const said = Buffer.from(`so it says ${core} and no more. `.repeat(5));
  const packed = [
    gzipSync(said),
    deflateSync(said),
    gzipSync(zstdCompressSync(said)),
    gzipSync(makeTar([{ name: 'a', content: said.toString() }])),
    makeZip([{ name: 'a', content: said.toString() }]),
  ];
  for (const bytes of [...packed, zstdCompressSync(said)]) {
    assert.ok(found(Buffer.concat([Buffer.from('before'), bytes])).includes('one as it is'));
  }
  for (const bytes of packed) {
    assert.ok(found(Buffer.concat([bytes, Buffer.from('behind')])).includes('one as it is'));
  }
});

test('what is no canary is not found', () => {
  const { length } = formsOf(Buffer.alloc(24));
  assert.equal(length > formCount, true);
  assert.deepEqual(found(Buffer.from(chance(100_000))), []);
  assert.deepEqual(found((canaries[0] as Canary).core.subarray(1)), []);
});
