import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const start = 'dmk_';
const secretLength = 40;
const checkLength = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^dmk_[0-9A-Za-z]{46}$/;
// The largest multiple of 62 in a byte; larger bytes would favour the first characters.
const fair = 248;

/** A new key: `dmk_`, 40 random characters (238 bits), 6 of a CRC-32 over what stands before. */
export function newApiKey(randomBytes: (size: number) => Uint8Array): string {
  let key = start;
  while (key.length < start.length + secretLength) {
    for (const byte of randomBytes(64)) {
      if (byte < fair && key.length < start.length + secretLength) key += alphabet[byte % 62];
    }
  }
  return key + checksum(key);
}

/** Tells a typo or a foreign token from a key without a lookup. Says nothing about whether the key is known. */
export function looksLikeApiKey(text: string): boolean {
  return shape.test(text) && checksum(text.slice(0, -checkLength)) === text.slice(-checkLength);
}

/** What is stored of a key: its SHA-256, base64. A key holds enough randomness that no slow hash is needed. */
export function hashApiKey(text: string): string {
  return hash('sha256', text, 'base64');
}

/** The first 12 characters: enough to recognise a key by, useless without the rest. */
export function keyPrefix(text: string): string {
  return text.slice(0, start.length + 8);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < checkLength; i++) {
    digits = alphabet[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
