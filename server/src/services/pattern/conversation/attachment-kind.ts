/** What the first bytes of a file say that it is; undefined for what no model takes. */
export function mediaTypeOf(bytes: Buffer): string | undefined {
  // One character for each byte.
  const begin = bytes.toString('latin1', 0, 1024);
  return kinds.find(([, is]) => is(begin))?.[0];
}

const kinds: readonly (readonly [mediaType: string, is: (begin: string) => boolean])[] = [
  ['image/png', (begin) => begin.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', (begin) => begin.startsWith('\xff\xd8\xff')],
  ['image/gif', (begin) => /^GIF8[79]a/.test(begin)],
  ['image/webp', (begin) => begin.startsWith('RIFF') && begin.startsWith('WEBP', 8)],
  // Readers of PDF pass over what stands before it, a kilobyte at most.
  ['application/pdf', (begin) => begin.includes('%PDF-')],
];
