/** A character that nobody sees, and that a model reads all the same. */
export interface InvisibleText {
  /** From 1. */
  readonly line: number;
  /** `U+202E` and the like, each once. */
  readonly characters: readonly string[];
  /** What stands there, with what is not seen made visible. */
  readonly shown: string;
}

// Tags, zero width, bidi controls, fillers and soft hyphens.
const unseen =
  /\u034f|[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{1d173}-\u{1d17a}]|[\u{e0000}-\u{e0fff}]/gu;
const anyUnseen = new RegExp(unseen, 'u');
const shownAround = 20;

/** Lines of a text with characters that are not seen; `most` of them. Joined emoji, flags and scripts that need joiners are none. */
export function findInvisible(text: string, most: number): InvisibleText[] {
  const found: InvisibleText[] = [];
  if (!anyUnseen.test(text)) return found;
  const lines = text.startsWith('\ufeff') ? text.slice(1).split('\n') : text.split('\n');
  for (const [index, line] of lines.entries()) {
    const places = [...line.matchAll(unseen)].filter(({ 0: character, index: at }) => !isNeeded(line, at, character));
    const [first] = places;
    if (!first) continue;
    const characters = [...new Set(places.map(([character]) => nameOf(character)))];
    found.push({ line: index + 1, characters, shown: showPart(line, first.index) });
    if (found.length === most) break;
  }
  return found;
}

function showPart(line: string, at: number): string {
  const part = line.slice(Math.max(0, at - shownAround), at + 2 * shownAround).toWellFormed();
  return part.replaceAll(unseen, (character) => `⟨${nameOf(character)}⟩`).trim();
}

const nameOf = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Joiners between emoji or within a script that writes with them, and the tags of a flag. */
function isNeeded(line: string, at: number, character: string): boolean {
  const before = line.slice(Math.max(0, at - 40), at);
  if (character === '\u200d' || character === '\u200c') {
    if (/\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]*$/u.test(before)) return character === '\u200d';
    const last = [...before].at(-1) ?? '';
    return (last.codePointAt(0) ?? 0) > 0x590 && /[\p{L}\p{M}]/u.test(last);
  }
  return (character.codePointAt(0) ?? 0) >= 0xe0020 && /\u{1f3f4}[\u{e0020}-\u{e007f}]*$/u.test(before);
}
