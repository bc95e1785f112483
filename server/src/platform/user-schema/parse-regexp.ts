/** A regular expression as a tree. What one character is tested by is left to the engine of the language. */
export type RegexpNode =
  | { readonly kind: 'character'; readonly test: (character: string) => boolean }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'boundary'; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'choice'; readonly choices: readonly RegexpNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexpNode; readonly least: number; readonly most: number };

const longestSource = 1_000;
const mostRepeats = 1_000;
const deepest = 50;

interface Cursor {
  readonly source: string;
  at: number;
}

/** Reads a pattern of JavaScript's `u` dialect. Throws a plain Error for what is wrong or cannot run in linear time. */
export function parseRegexp(source: string): RegexpNode {
  if (source.length > longestSource) throw new Error(`a pattern may have ${longestSource} characters`);
  // The language itself judges whether the pattern is one; what follows may then trust it.
  new RegExp(source, 'u');
  return readChoice({ source, at: 0 }, 0);
}

function readChoice(cursor: Cursor, depth: number): RegexpNode {
  if (depth > deepest) throw new Error('the groups of the pattern are nested too deeply');
  const choices: RegexpNode[] = [];
  let items: RegexpNode[] = [];
  const { source } = cursor;
  while (cursor.at < source.length && source[cursor.at] !== ')') {
    if (source[cursor.at] === '|') {
      cursor.at += 1;
      choices.push({ kind: 'sequence', items });
      items = [];
    } else items.push(readRepeat(cursor, readAtom(cursor, depth)));
  }
  if (choices.length === 0) return { kind: 'sequence', items };
  return { kind: 'choice', choices: [...choices, { kind: 'sequence', items }] };
}

function readRepeat(cursor: Cursor, item: RegexpNode): RegexpNode {
  const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(cursor.source.slice(cursor.at, cursor.at + 40));
  if (!found) return item;
  cursor.at += found[0].length;
  const [, sign, low, comma, high] = found;
  if (sign === '*') return { kind: 'repeat', item, least: 0, most: Number.POSITIVE_INFINITY };
  if (sign === '+') return { kind: 'repeat', item, least: 1, most: Number.POSITIVE_INFINITY };
  if (sign === '?') return { kind: 'repeat', item, least: 0, most: 1 };
  const least = Number(low);
  const most = comma === undefined ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high);
  if (least > mostRepeats || (most !== Number.POSITIVE_INFINITY && most > mostRepeats)) {
    throw new Error(`a repetition may have ${mostRepeats} times`);
  }
  return { kind: 'repeat', item, least, most };
}

function readAtom(cursor: Cursor, depth: number): RegexpNode {
  const { source, at } = cursor;
  const character = String.fromCodePoint(source.codePointAt(at) as number);
  if (character === '(') return readGroup(cursor, depth);
  if (character === '[') return single(cursor, classLength(source, at));
  if (character === '\\') return readEscape(cursor);
  cursor.at += character.length;
  if (character === '^') return { kind: 'start' };
  if (character === '$') return { kind: 'end' };
  if (character === '.') return { kind: 'character', test: (given) => !/^[\n\r\u2028\u2029]$/.test(given) };
  return { kind: 'character', test: (given) => given === character };
}

function readGroup(cursor: Cursor, depth: number): RegexpNode {
  const head = /^\((?:\?(?:(:)|<(?![=!])[^>]*>|(.)))?/.exec(cursor.source.slice(cursor.at));
  if (head?.[2] !== undefined)
    throw new Error('the pattern looks ahead or behind, which cannot be done in linear time');
  cursor.at += head?.[0].length ?? 1;
  const inner = readChoice(cursor, depth + 1);
  cursor.at += 1;
  return inner;
}

function readEscape(cursor: Cursor): RegexpNode {
  const rest = cursor.source.slice(cursor.at + 1, cursor.at + 300);
  if (/^[1-9k]/.test(rest)) throw new Error('the pattern refers back to a group, which cannot be done in linear time');
  if (rest[0] === 'b' || rest[0] === 'B') {
    cursor.at += 2;
    return { kind: 'boundary', negated: rest[0] === 'B' };
  }
  const found =
    /^(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|c[A-Za-z]|.)/su.exec(
      rest,
    );
  return single(cursor, 1 + (found?.[0].length ?? 1));
}

/** Length of a class from its bracket on; in this dialect a bracket inside needs a backslash to end nothing. */
function classLength(source: string, from: number): number {
  let at = from + 1;
  while (at < source.length && source[at] !== ']') at += source[at] === '\\' ? 2 : 1;
  return at + 1 - from;
}

/** What one character is tested by: a class or an escape, which the language's own engine takes in constant time. */
function single(cursor: Cursor, length: number): RegexpNode {
  const text = cursor.source.slice(cursor.at, cursor.at + length);
  cursor.at += length;
  const pattern = new RegExp(`^${text}$`, 'u');
  return { kind: 'character', test: (character) => pattern.test(character) };
}
