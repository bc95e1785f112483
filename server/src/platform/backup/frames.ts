import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

/** `begin` and `end` of a table's rows, `data` between them, and `manifest`, which is the last frame. */
export type FrameKind = 'begin' | 'data' | 'end' | 'manifest';

export interface Frame {
  readonly kind: FrameKind;
  readonly body: Buffer;
}

const kinds: readonly FrameKind[] = ['begin', 'data', 'end', 'manifest'];
const tagLength = 16;
const lengthBytes = 4;
/** No frame is longer: a damaged length must not make us wait for gigabytes. A manifest of 10,000 partitions has 5 MB. */
export const longestFrame = 64 * 1024 * 1024;
const plain = 0;
const compressed = 1;
const worthCompressing = 256;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What every frame of one file is bound to. */
export interface FrameKey {
  readonly key: KeyObject;
  /** Digest of the file's head. */
  readonly head: Buffer;
}

// Nonce: the frame's number. Bound besides: the head, and whether it is the last. Moved, left out or cut off, nothing opens.
function bind({ head }: FrameKey, number: number, last: boolean) {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 4);
  return { nonce, data: Buffer.concat([head, nonce, Buffer.from([last ? 1 : 0])]) };
}

/** Packs a frame's body, on another thread. */
export async function pack(kind: FrameKind, body: Buffer): Promise<Buffer> {
  const small = body.length < worthCompressing ? body : await compress(body);
  const shrunk = small.length < body.length;
  return Buffer.concat([Buffer.from([kinds.indexOf(kind), shrunk ? compressed : plain]), shrunk ? small : body]);
}

/** Length and sealed bytes of a packed frame. */
export function sealFrame(key: FrameKey, number: number, packed: Buffer, last: boolean): Buffer {
  const { nonce, data } = bind(key, number, last);
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce, { authTagLength: tagLength });
  cipher.setAAD(data);
  const text = cipher.update(packed);
  cipher.final();
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(text.length + tagLength);
  return Buffer.concat([length, text, cipher.getAuthTag()]);
}

/** Opens what follows a frame's length. Throws when any byte, its place in the file or the key is another one. */
export async function openFrame(key: FrameKey, number: number, sealed: Buffer, last: boolean): Promise<Frame> {
  const { nonce, data } = bind(key, number, last);
  const decipher = createDecipheriv('aes-256-gcm', key.key, nonce, { authTagLength: tagLength });
  decipher.setAAD(data);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
  const packed = decipher.update(sealed.subarray(0, sealed.length - tagLength));
  // Only after final() are the bytes known to be genuine.
  decipher.final();
  const kind = kinds[packed[0] as number] as FrameKind;
  const rest = packed.subarray(2);
  return { kind, body: packed[1] === compressed ? await decompress(rest, { maxOutputLength: longestFrame }) : rest };
}
