import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openRecoveryFile, sealKeyFile } from './recovery-file.ts';

const bytes = randomBytes(32);
const kek = { key: createSecretKey(bytes), id: '0123456789abcdef' };

test('file and code together give the key back, also as people write codes', () => {
  const { text, code } = sealKeyFile(kek);
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
  for (const written of [
    code,
    code.toLowerCase(),
    code.replaceAll('-', ' '),
    ` ${code.replaceAll('0', 'o').replaceAll('1', 'l')}\n`,
  ]) {
    const opened = openRecoveryFile(text, written);
    assert.deepEqual([opened.id, opened.bytes.equals(bytes)], [kek.id, true]);
  }
  assert.ok(!text.includes(bytes.toString('base64')) && !text.includes(code));
});

test('another code, a changed file and something else are refused', () => {
  const { text, code } = sealKeyFile(kek);
  assert.throws(() => openRecoveryFile(text, sealKeyFile(kek).code), /does not open this file/);
  assert.throws(() => openRecoveryFile(text.replace(kek.id, 'fedcba9876543210'), code), /does not open this file/);
  for (const wrong of ['', 'U'.repeat(32), code.slice(1)]) {
    assert.throws(() => openRecoveryFile(text, wrong), /32 letters and digits/);
  }
  for (const other of ['', 'damask-key-1', 'damask-key-1 x y z w', bytes.toString('base64')]) {
    assert.throws(() => openRecoveryFile(other, code), /no recovery file/);
  }
});
