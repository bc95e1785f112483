import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createCursors } from './cursor.ts';

const secret = Buffer.alloc(32, 7);
const cursors = createCursors(secret);
const scope = {
  list: 'listKeys',
  workspace: '018f0000-0000-7000-8000-000000000001',
  filter: '{"status":"failed"}',
};
const refused = { name: 'AppError', code: 'invalid_cursor' };

test('a cursor gives back the position that it was made from, also in another process', () => {
  for (const position of [[], [''], ['a', 'b'], ['2026-01-01T00:00:00.000Z', '018f'], ['"],[\u0000é𝄞']]) {
    const cursor = cursors.encode(scope, position);
    assert.match(cursor, /^[\w-]+$/);
    assert.deepEqual(createCursors(Buffer.from(secret)).decode({ ...scope }, cursor), position);
  }
});

test('a cursor of another list, workspace, filter or installation is refused', () => {
  const cursor = cursors.encode(scope, ['a']);
  const { filter, ...unfiltered } = scope;
  const others = [
    { ...scope, list: 'listRuns' },
    { ...scope, workspace: '018f0000-0000-7000-8000-000000000002' },
    { ...scope, filter: `${filter} ` },
    { ...scope, filter: '' },
    unfiltered,
    { ...scope, list: `${scope.list}","${scope.workspace}`, workspace: filter },
  ];
  for (const other of others) assert.throws(() => cursors.decode(other, cursor), refused);
  assert.throws(() => createCursors(randomBytes(32)).decode(scope, cursor), refused);
});

test('no changed, cut, lengthened or respelled cursor is taken', () => {
  const cursor = cursors.encode(scope, ['018f0000-0000-7000-8000-000000000003']);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let at = 0; at < cursor.length; at++) {
    for (const letter of alphabet) {
      if (letter === cursor[at]) continue;
      assert.throws(() => cursors.decode(scope, cursor.slice(0, at) + letter + cursor.slice(at + 1)), refused);
    }
    assert.throws(() => cursors.decode(scope, cursor.slice(0, at)), refused);
  }
  for (const text of [`${cursor}A`, `${cursor}=`, ` ${cursor}`, `${cursor}\n`, '', '-1', 'null', 'A'.repeat(512)]) {
    assert.throws(() => cursors.decode(scope, text), refused, text);
  }
  assert.throws(() => cursors.decode(scope, 'A'.repeat(1_000_000)), refused);
});

test('random texts are refused and never crash', () => {
  for (let i = 0; i < 2000; i++) {
    const bytes = randomBytes(i % 90);
    for (const text of [bytes.toString('base64url'), bytes.toString('latin1')]) {
      assert.throws(() => cursors.decode(scope, text), refused);
    }
  }
});

test('a position that the contract could not carry is a fault of ours', () => {
  assert.throws(() => cursors.encode(scope, ['x'.repeat(500)]), RangeError);
});
