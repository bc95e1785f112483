// Control, format (bidirectional marks, tags), unassigned, every space but the plain one, and what fonts draw as nothing.
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
const everyUnseen = new RegExp(unseen, 'gu');

/** Whether a text holds a character that cannot be seen or passes for another. */
export function holdsUnseen(text: string): boolean {
  return unseen.test(text);
}

/** A text with everything that cannot be seen written out as its code point. */
export function writeOutUnseen(text: string): string {
  return text.replace(everyUnseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** A text for a message: in quotes, cut at `most` characters, with what cannot be seen written out. */
export function quoteText(text: string, most = 100): string {
  return writeOutUnseen(JSON.stringify(text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text));
}
