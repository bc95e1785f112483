import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '../app-error.ts';
import type { KeyEncryptionKey } from './key-file.ts';

const heading =
  '# Damask: the key file, sealed with a recovery code. Without the code it is worthless. Keep the two apart.';
const form = 'damask-key-1';
const tagLength = 16;
const codeBytes = 20;
// Crockford's: no letter that is taken for a digit.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Seals the key with a fresh code of 160 random bits, which needs no slow derivation: nobody guesses it.
 * Neither of the two says anything about the key without the other.
 */
export function sealKeyFile(kek: KeyEncryptionKey): { readonly text: string; readonly code: string } {
  const secret = randomBytes(codeBytes);
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(secret, salt), nonce, { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(`${form} ${kek.id}`));
  const sealed = Buffer.concat([cipher.update(kek.key.export()), cipher.final(), cipher.getAuthTag()]);
  const parts = [salt, nonce, sealed].map((part) => part.toString('base64'));
  return { text: `${heading}\n${form} ${kek.id} ${parts.join(' ')}\n`, code: writeCode(secret) };
}

/** The bytes of the key. Errors: `invalid_request` for a file that is none, and for another code. */
export function openRecoveryFile(text: string, code: string): { readonly id: string; readonly bytes: Buffer } {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${form} `)) ?? '';
  const [, id = '', ...parts] = line.trim().split(' ');
  const [salt, nonce, sealed] = parts.map((part) => Buffer.from(part, 'base64'));
  if (!salt || nonce?.length !== 12 || !sealed || sealed.length <= tagLength) {
    throw new AppError('invalid_request', 'This is no recovery file. Name one that `damask key export` wrote.');
  }
  const secret = readCode(code);
  try {
    const decipher = createDecipheriv('aes-256-gcm', derive(secret, salt), nonce, { authTagLength: tagLength });
    decipher.setAAD(Buffer.from(`${form} ${id}`));
    decipher.setAuthTag(sealed.subarray(-tagLength));
    return { id, bytes: Buffer.concat([decipher.update(sealed.subarray(0, -tagLength)), decipher.final()]) };
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'The recovery code does not open this file. Check the code, and that it belongs to this file.',
      {},
      { cause },
    );
  }
}

const derive = (secret: Buffer, salt: Buffer) =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, salt, 'damask recovery code', 32)));

function writeCode(secret: Buffer): string {
  const bits = [...secret].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{5}/g)?.map((five) => alphabet[Number.parseInt(five, 2)]) ?? [];
  return letters.join('').replace(/.{4}(?=.)/g, '$&-');
}

// As people write it: any case, with or without signs between, O for 0 and I or L for 1.
function readCode(code: string): Buffer {
  const plain = code.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1').replace(/[\s-]/g, '');
  const values = [...plain].map((letter) => alphabet.indexOf(letter));
  if (values.length !== (codeBytes * 8) / 5 || values.includes(-1)) {
    throw new AppError('invalid_request', 'A recovery code has 32 letters and digits, in groups of four.');
  }
  const bits = values.map((value) => value.toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}
