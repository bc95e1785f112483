import { isUtf8 } from 'node:buffer';

/** Where bytes stop being UTF-8: the number of the character, from 1; 0 when they are. */
export function findBrokenUtf8(bytes: Buffer): number {
  if (isUtf8(bytes)) return 0;
  const text = bytes.toString('utf8');
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) {
    // The text may hold this character honestly.
    const place = Buffer.byteLength(text.slice(0, at));
    const honest = bytes[place] === 0xef && bytes[place + 1] === 0xbf && bytes[place + 2] === 0xbd;
    if (!honest) return at + 1;
  }
  return 1;
}
