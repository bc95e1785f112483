import { tarHeader } from '../write-archive.ts';

const block = 512;

/** A member of a tar whose content comes in pieces. */
export interface TarMember {
  readonly name: string;
  readonly bytes: number;
  content(): AsyncIterable<Uint8Array>;
}

/** The bytes of a tar, while its members are read. Names have at most 100 bytes. */
export async function* writeTar(members: Iterable<TarMember>): AsyncGenerator<Uint8Array> {
  for (const { name, bytes, content } of members) {
    yield tarHeader(Buffer.from(name), bytes, '0');
    yield* content();
    yield Buffer.alloc((block - (bytes % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

/** What a tar that `writeTar` made consists of; anything else in it is `strange`. */
export type TarPiece =
  | { readonly kind: 'member'; readonly name: string; readonly bytes: number }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'strange'; readonly detail: string }
  | { readonly kind: 'end' };

/** Reads a tar strictly, piece by piece: each of its bytes is either content or exactly what `writeTar` would write. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarPiece> {
  const bytes = createReader(source);
  for (;;) {
    const header = await bytes.exactly(block);
    if (!header) return yield { kind: 'strange', detail: 'it ends in the middle' };
    if (isZero(header)) break;
    const name = header.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '');
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
    const known = Number.isSafeInteger(size) && size >= 0 && name !== '';
    if (!known || !tarHeader(Buffer.from(name), size, '0').equals(header)) {
      return yield { kind: 'strange', detail: `a header of it is not as this command writes them (${shown(name)})` };
    }
    yield { kind: 'member', name, bytes: size };
    for await (const data of bytes.some(size)) yield { kind: 'data', data };
    const rest = (block - (size % block)) % block;
    const padding = await bytes.exactly(rest);
    if (!padding) return yield { kind: 'strange', detail: `it ends within ${shown(name)}` };
    if (!isZero(padding)) return yield { kind: 'strange', detail: `something stands behind ${shown(name)}` };
  }
  const last = await bytes.exactly(block);
  if (!last || !isZero(last)) return yield { kind: 'strange', detail: 'it has no end' };
  if (await bytes.exactly(1)) return yield { kind: 'strange', detail: 'something stands behind its end' };
  yield { kind: 'end' };
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
const shown = (name: string) => JSON.stringify(name.slice(0, 100));

function createReader(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]();
  let waiting: Uint8Array = new Uint8Array(0);

  async function next(most: number): Promise<Uint8Array | undefined> {
    while (waiting.length === 0) {
      const { value, done } = await pieces.next();
      if (done) return undefined;
      waiting = value;
    }
    const taken = waiting.subarray(0, most);
    waiting = waiting.subarray(taken.length);
    return taken;
  }

  return {
    /** As many bytes, in one piece; nothing when there are fewer. For small numbers. */
    async exactly(count: number): Promise<Buffer | undefined> {
      const parts: Uint8Array[] = [];
      for (let left = count; left > 0; ) {
        const piece = await next(left);
        if (!piece) return undefined;
        parts.push(piece);
        left -= piece.length;
      }
      return Buffer.concat(parts);
    },
    async *some(count: number): AsyncGenerator<Uint8Array> {
      for (let left = count; left > 0; ) {
        const piece = await next(left);
        if (!piece) return;
        left -= piece.length;
        yield piece;
      }
    },
  };
}
