import type { Finding } from '#platform/redact/finding.ts';
import { findInPlain, toPlain } from '#platform/redact/plain-letters.ts';

const letterOrDigit = /[\p{L}\p{N}]/u;

/** Finds words and phrases whatever their capitals. Where one begins or ends with a letter or digit, so does a word of the text. */
export function createWordFinder(words: readonly string[], kind: string): (text: string) => Finding[] {
  const sought = words.map((word) => {
    const small = inSmall(toPlain(word));
    return { small, open: letterOrDigit.test(firstOf(small)), close: letterOrDigit.test(lastOf(small)) };
  });
  return (text) => findInPlain(text, findWords);

  function findWords(text: string): Finding[] {
    const small = inSmall(text);
    const found: Finding[] = [];
    for (const { small: word, open, close } of sought) {
      for (let at = small.indexOf(word); at !== -1; at = small.indexOf(word, at + 1)) {
        const end = at + word.length;
        if (open && at > 0 && letterOrDigit.test(lastOf(small.slice(Math.max(0, at - 2), at)))) continue;
        if (close && end < small.length && letterOrDigit.test(firstOf(small.slice(end, end + 2)))) continue;
        found.push({ start: at, end, kind });
      }
    }
    return found;
  }
}

/** In small letters and of the same length, so that places stay what they are. */
function inSmall(text: string): string {
  const small = text.toLowerCase();
  if (small.length === text.length) return small;
  let same = '';
  for (const character of text) {
    const one = character.toLowerCase();
    same += one.length === character.length ? one : character;
  }
  return same;
}

const firstOf = (text: string) => String.fromCodePoint(text.codePointAt(0) ?? 32);
const lastOf = (text: string) => [...text.slice(-2)].at(-1) ?? ' ';
