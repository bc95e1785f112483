import type { Finding } from './finding.ts';

// What is written for another character, or for none: JSON escapes (also within JSON within JSON), `%40`, spaces, hyphens and
// digits of other blocks, full-width letters, and characters that nobody sees. A row of backslashes is taken as a whole: linear.
const other =
  /\\+(?:u([0-9A-Fa-f]{4})|[nrtbf])?|%40|[\u00a0\u00ad\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u061c\u180e\u2000-\u2013\u202a-\u202f\u205f-\u2064\u2066-\u206f\u2212\u3000\ufeff\uff01-\uff5e]/g;

const unseen = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/;

/**
 * What a detector finds in the text as people read it: `ada\u0040example.org` is an address, and so is one with a character of no
 * width in it. Places are those of the text as it is.
 */
export function findInPlain(text: string, find: (plain: string) => Finding[]): Finding[] {
  if (text.search(other) === -1) return find(text);
  // Where a piece that is the same in both begins: in the plain text, and in the text.
  const pieces: [plain: number, text: number][] = [[0, 0]];
  let plain = '';
  let from = 0;
  for (const { 0: written, 1: hex, index } of text.matchAll(other)) {
    plain += text.slice(from, index) + meant(written, hex);
    from = index + written.length;
    pieces.push([plain.length, from]);
  }
  plain += text.slice(from);
  return find(plain).map(({ start, end, kind }) => ({
    start: placeIn(pieces, start),
    end: placeIn(pieces, end),
    kind,
  }));
}

/** The text as people read it. */
export const toPlain = (text: string): string => text.replaceAll(other, meant);

function meant(written: string, hex?: string): string {
  if (hex !== undefined) return meantBy(Number.parseInt(hex, 16));
  if (written === '%40') return '@';
  if (!written.startsWith('\\')) return meantBy(written.charCodeAt(0));
  return written.endsWith('\\') ? written : ' ';
}

function meantBy(code: number): string {
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  for (const zero of [0x660, 0x6f0, 0x966]) if (code >= zero && code <= zero + 9) return String(code - zero);
  if (code === 0xa0 || code === 0x202f || code === 0x205f || code === 0x3000) return ' ';
  if (code >= 0x2000 && code <= 0x200a) return ' ';
  if ((code >= 0x2010 && code <= 0x2013) || code === 0x2212) return '-';
  const character = String.fromCharCode(code);
  return unseen.test(character) ? '' : character;
}

/** Where what stands at this place of the plain text begins in the text. */
function placeIn(pieces: readonly (readonly [number, number])[], place: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((pieces[middle] as readonly [number, number])[0] <= place) low = middle;
    else high = middle - 1;
  }
  const [plain, text] = pieces[low] as readonly [number, number];
  return text + place - plain;
}
