import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress } from 'node:zlib';

/** What a sealed value is bound to: moved to another row, column, table or workspace it cannot be opened. */
export interface Place {
  readonly workspace: string;
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

const nonceLength = 12;
const tagLength = 16;
const compressed = 1;
const plain = 0;

// Below this compressing costs more than all other work on a run (35 µs and a megabyte of scratch memory, where 4 KB
// may take 20) and saves less than a page; above the other it would hold the event loop for milliseconds.
const compressFrom = 8 * 1024;
const compressElsewhereFrom = 64 * 1024;
/** Bytes that an opened value may have: several times the largest run. */
const largest = 64 * 1024 * 1024;

const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compressElsewhere = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const pool = Buffer.alloc(nonceLength * 1024);
let used = pool.length;

/** Random nonces from a pool: asking the system for each costs more than the encryption of a short text. */
function takeNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const nonce = Buffer.from(pool.subarray(used, used + nonceLength));
  pool.fill(0, used, used + nonceLength);
  used += nonceLength;
  return nonce;
}

function boundData(place: Place, header: Buffer): Buffer {
  const { workspace, table, row, column } = place;
  return Buffer.concat([header, Buffer.from(JSON.stringify([workspace, table, row, column]))]);
}

/**
 * AES-256-GCM with a full tag. `header` goes in front in the clear and is protected too. Compresses first;
 * a long text is compressed on another thread, and the answer is a promise then.
 */
export function seal(key: KeyObject, place: Place, header: Buffer, plaintext: Buffer): Buffer | Promise<Buffer> {
  if (plaintext.length < compressFrom) return encrypt(key, place, header, plain, plaintext);
  if (plaintext.length < compressElsewhereFrom) {
    return encrypt(key, place, header, compressed, zstdCompressSync(plaintext, fast));
  }
  return compressElsewhere(plaintext, fast).then((small) => encrypt(key, place, header, compressed, small));
}

function encrypt(key: KeyObject, place: Place, header: Buffer, form: number, body: Buffer): Buffer {
  const nonce = takeNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength });
  const headLength = header.length + 1;
  const bound = JSON.stringify([place.workspace, place.table, place.row, place.column]);
  const data = Buffer.allocUnsafe(headLength + Buffer.byteLength(bound));
  data.set(header);
  data[header.length] = form;
  data.write(bound, headLength);
  cipher.setAAD(data);
  const text = cipher.update(body);
  cipher.final();
  const sealed = Buffer.allocUnsafe(headLength + nonceLength + text.length + tagLength);
  sealed.set(header);
  sealed[header.length] = form;
  sealed.set(nonce, headLength);
  sealed.set(text, headLength + nonceLength);
  sealed.set(cipher.getAuthTag(), headLength + nonceLength + text.length);
  return sealed;
}

/** The plaintext. Throws when the key, the place or any byte is not the one that it was sealed with. */
export async function open(key: KeyObject, place: Place, headerLength: number, sealed: Buffer): Promise<Buffer> {
  const { form, body } = decrypt(key, place, headerLength, sealed);
  return form === compressed ? decompress(body, { maxOutputLength: largest }) : body;
}

/** The same text under another key and header; what was compressed stays so. Throws as `open` does. */
export function reseal(
  from: { readonly key: KeyObject; readonly headerLength: number },
  to: { readonly key: KeyObject; readonly header: Buffer },
  place: Place,
  sealed: Buffer,
): Buffer {
  const { form, body } = decrypt(from.key, place, from.headerLength, sealed);
  return encrypt(to.key, place, to.header, form, body);
}

function decrypt(key: KeyObject, place: Place, headerLength: number, sealed: Buffer) {
  const headLength = headerLength + 1;
  if (sealed.length < headLength + nonceLength + tagLength) throw new Error('A sealed value is too short');
  const head = sealed.subarray(0, headLength);
  const nonce = sealed.subarray(headLength, headLength + nonceLength);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength });
  decipher.setAAD(boundData(place, head));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
  const text = decipher.update(sealed.subarray(headLength + nonceLength, sealed.length - tagLength));
  // Only after final() are the bytes known to be genuine.
  decipher.final();
  return { form: head[headerLength] as number, body: text };
}
