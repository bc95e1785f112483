import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { AppError } from '#platform/app-error.ts';
import { checkPack } from './check-pack.ts';

const limits = { objects: 10, objectBytes: 1000, totalBytes: 2500 };

interface Packed {
  /** 3 is a blob, 6 a delta by offset, 7 a delta by name. */
  readonly type?: number;
  readonly content?: Buffer;
  /** What the header says. */
  readonly size?: number;
  readonly before?: Buffer;
}

function varint(value: number, first: number, bits: number): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(value / 2 ** bits);
  bytes.push(first | (value % 2 ** bits) | (rest > 0 ? 0x80 : 0));
  while (rest > 0) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(low | (rest > 0 ? 0x80 : 0));
  }
  return Buffer.from(bytes);
}

function makePack(objects: readonly Packed[], count = objects.length, after = Buffer.alloc(0)): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  head.writeUInt32BE(count, 8);
  const parts = objects.flatMap(({ type = 3, content = Buffer.from('blob'), size = content.length, before }) => [
    varint(size, type << 4, 4),
    before ?? Buffer.alloc(0),
    deflateSync(content),
  ]);
  return Buffer.concat([head, ...parts, after, Buffer.alloc(20)]);
}

const delta = (from: number, to: number) =>
  Buffer.concat([varint(from, 0, 7), varint(to, 0, 7), Buffer.from([0x90, 1])]);
const name = Buffer.alloc(20, 1);
const lengthOf = (object: Packed) => makePack([object]).length - 32;
const back = (distance: number) => Buffer.from([distance]);

function refusal(pack: Buffer): string {
  try {
    checkPack(pack, limits);
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'invalid_repository', String(error));
    return error.message;
  }
  assert.fail('It was not refused');
}

test('a pack within the bounds passes, with deltas of both kinds', () => {
  const objects: Packed[] = [
    { content: Buffer.alloc(0) },
    { content: Buffer.alloc(900, 'x') },
    { type: 6, content: delta(900, 900), before: back(lengthOf({ content: Buffer.alloc(900, 'x') })) },
    { type: 7, content: delta(4, 4), before: name },
  ];
  checkPack(makePack(objects), limits);
  const text = { content: Buffer.from(Array.from({ length: 300 }, (_, index) => (index * index * 31) % 251)) };
  const far = lengthOf(text);
  assert.ok(far > 128 && far < 16_000, `${far}`);
  const distance = Buffer.from([0x80 | ((far >> 7) - 1), far & 0x7f]);
  checkPack(makePack([text, { type: 6, content: delta(300, 300), before: distance }]), limits);
  checkPack(makePack([]), limits);
});

test('numbers, sizes and what deltas would make are bounded before anything is made', () => {
  const large = { content: Buffer.alloc(1001) };
  const cases: [Buffer, RegExp][] = [
    [makePack([{}], 4_000_000_000), /4000000000 objects/],
    [makePack([large]), /an object of 1001 bytes/],
    [makePack([{ size: 2 ** 40 }]), /an object of 1099511627776 bytes/],
    [makePack([{ type: 7, content: delta(4, 2 ** 40), before: name }]), /an object of 1099511627776 bytes/],
    [makePack([{}, { type: 6, content: delta(4, 1001), before: back(lengthOf({})) }]), /an object of 1001 bytes/],
    [makePack(Array.from({ length: 3 }, () => ({ content: Buffer.alloc(900) }))), /more than 2500 bytes/],
    [makePack(Array.from({ length: 3 }, () => ({ type: 7, content: delta(9, 900), before: name }))), /more than 2500/],
  ];
  for (const [pack, reason] of cases) assert.match(refusal(pack), reason);
});

test('a pack that lies, is cut off or holds more than it says is refused', () => {
  const whole = makePack([{}, {}]);
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('<html>'), /is no pack/],
    [makePack([{ size: 3 }]), /cannot be unpacked/],
    [makePack([{ size: 30 }]), /another size/],
    [makePack([{ type: 5 }]), /unknown kind/],
    [makePack([{}], 2), /cut off|cannot be unpacked|unknown kind|another size/],
    [makePack([{}, {}], 1), /longer than its objects/],
    [makePack([{}], 1, Buffer.from('more')), /longer than its objects/],
    [whole.subarray(0, whole.length - 26), /cannot be unpacked|cut off|longer/],
    [makePack([{ type: 7, content: Buffer.from([0xff, 0xff]), before: name }]), /cut off/],
    [makePack([{ type: 7, content: Buffer.alloc(20, 0xff), before: name }]), /broken delta/],
  ];
  for (const [pack, reason] of cases) assert.match(refusal(pack), reason);
});

test('a delta stands on an object before it, and only so many stand on each other', () => {
  const on = (distance: number): Packed => ({ type: 6, content: delta(4, 4), before: back(distance) });
  for (const distance of [0, 1, lengthOf({}) - 1, lengthOf({}) + 1, 127]) {
    assert.match(refusal(makePack([{}, on(distance)])), /a delta on what is no object/, `${distance}`);
  }
  const next = on(lengthOf(on(0)));
  const row = (length: number) => makePack([{}, on(lengthOf({})), ...Array.from({ length: length - 1 }, () => next)]);
  const many = { objects: 10_000, objectBytes: 1000, totalBytes: 100_000 };
  checkPack(row(4095), many);
  assert.throws(() => checkPack(row(4096), many), /more than 4095 deltas in a row/);
});
