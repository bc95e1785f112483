import { partsAllowed } from './chain-plan.ts';

export interface SplitOptions {
  /** Characters (UTF-16 units) that a part has at most. */
  readonly size: number;
  /** Characters that a part repeats of the end of the one before, at most; less than half of `size`. */
  readonly overlap: number;
}

/**
 * Cuts a text at paragraphs, else lines, else sentences, else words, never within a surrogate pair. Without overlap the parts give the
 * text again; parts of nothing but white space are left out. Undefined where it would be more than a thousand parts.
 */
export function splitText(text: string, { size, overlap }: SplitOptions): string[] | undefined {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    const to = text.length - from <= size ? text.length : cutOf(text, from, size);
    const part = text.slice(from, to);
    if (part.trim() !== '') parts.push(part);
    if (parts.length > partsAllowed) return undefined;
    const next = to === text.length ? to : overlapFrom(text, to, overlap);
    from = next > from ? next : to;
  }
  return parts;
}

/** Looks back from the end of a part, through its second half only, so that parts stay large. */
function cutOf(text: string, from: number, size: number): number {
  const least = from + Math.ceil(size / 2);
  const end = from + size;
  const window = text.slice(least, end);
  const found = afterBreak(window) ?? afterSentence(window) ?? afterSpace(window);
  return whole(text, found === undefined ? end : least + found, from);
}

/** The end of the last paragraph, else of the last line, with the white space after it. */
function afterBreak(text: string): number | undefined {
  let line: number | undefined;
  for (let at = text.lastIndexOf('\n'); at !== -1; at = at === 0 ? -1 : text.lastIndexOf('\n', at - 1)) {
    const end = afterSpaceFrom(text, at + 1);
    line ??= end;
    let before = at;
    while (before > 0 && isSpace(text.charCodeAt(before - 1))) before--;
    if (text.slice(before, at).includes('\n')) return end;
  }
  return line;
}

function afterSentence(text: string): number | undefined {
  for (let at = text.length; at > 0; at--) {
    const last = text.charCodeAt(at - 1);
    if (last === 0x3002 || last === 0xff01 || last === 0xff1f) return at;
    if (!isSpace(last)) continue;
    let end = at;
    while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
    at = end + 1;
    for (let closed = 0; closed < 5 && end > 0 && ')]"\'»”'.includes(text[end - 1] as string); closed++) end--;
    if (end > 0 && '.!?…'.includes(text[end - 1] as string)) return afterSpaceFrom(text, at - 1);
  }
  return undefined;
}

function afterSpace(text: string): number | undefined {
  for (let at = text.length; at > 0; at--) if (isSpace(text.charCodeAt(at - 1))) return at;
  return undefined;
}

function afterSpaceFrom(text: string, from: number): number {
  let end = from;
  while (end < text.length && isSpace(text.charCodeAt(end))) end++;
  return end;
}

const isSpace = (code: number) =>
  code <= 0x20 || code === 0xa0 || (code >= 0x2000 && /\s/.test(String.fromCharCode(code)));

/** Where the next part begins: at a word, where the repeated piece has one. */
function overlapFrom(text: string, to: number, overlap: number): number {
  if (overlap === 0) return to;
  const from = to - overlap;
  const space = /\s/.test(text[from - 1] ?? ' ') ? 0 : text.slice(from, to).search(/\s\S/) + 1;
  return whole(text, from + space, text.length);
}

/** The place itself, or the one before it where it lies within a surrogate pair. */
function whole(text: string, at: number, from: number): number {
  const low = text.charCodeAt(at);
  const high = text.charCodeAt(at - 1);
  const within = low >= 0xdc00 && low <= 0xdfff && high >= 0xd800 && high <= 0xdbff;
  if (!within) return at;
  return at - 1 > from ? at - 1 : at + 1;
}

/**
 * The texts of the next round of merging: neighbours together as far as they fit, and always at least two, so that every
 * round has at most half as many and the last has one.
 */
export function groupTexts(texts: readonly string[], size: number): string[] {
  const groups: string[][] = [];
  let held = 0;
  for (const text of texts) {
    const last = groups.at(-1);
    if (last && (last.length < 2 || held + between.length + text.length <= size)) {
      last.push(text);
      held += between.length + text.length;
    } else {
      groups.push([text]);
      held = text.length;
    }
  }
  // One alone would be merged with nothing.
  const alone = groups.length > 1 && groups.at(-1)?.length === 1 ? groups.pop() : undefined;
  if (alone) groups.at(-1)?.push(...alone);
  return groups.map((group) => group.join(between));
}

const between = '\n\n';
