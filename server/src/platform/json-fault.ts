export interface JsonLimits {
  /** Objects and arrays inside one another. */
  readonly maxDepth: number;
  /** Keys of all objects together. */
  readonly maxKeys: number;
}

/** What is wrong with a JSON text and where. */
export interface JsonFault {
  readonly pointer: string;
  readonly detail: string;
}

const longestPointer = 500;
const quote = 0x22;
const backslash = 0x5c;

/** Adds a key to a JSON pointer (RFC 6901). */
export function pointTo(parent: string, key: string | number): string {
  const step = typeof key === 'number' ? String(key) : key.replaceAll('~', '~0').replaceAll('/', '~1');
  return `${parent}/${step}`;
}

/** Index of the quote that ends the string which starts at `open`, or the length of the text. */
export function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    if ((at - before) % 2 === 1) return at;
  }
  return text.length;
}

/** Thrown inside this file only, so that a fault ends the reading at once. */
class Fault extends Error {
  readonly fault: JsonFault;
  constructor(pointer: string, detail: string) {
    super(detail);
    const shown = pointer.toWellFormed();
    this.fault = { pointer: shown.length > longestPointer ? shown.slice(0, longestPointer) : shown, detail };
  }
}

/** Reads a text that was refused once more, slowly, to say what is wrong and where. Null when nothing is. */
export function findJsonFault(text: string, limits: JsonLimits): JsonFault | null {
  try {
    readAll(text, limits);
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.fault;
    throw error;
  }
}

function readAll(text: string, limits: JsonLimits): void {
  let at = 0;
  let keys = 0;

  function skipSpace(): number {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      at += 1;
    }
  }

  function expected(what: string, pointer: string): Fault {
    const found = at >= text.length ? 'the text ends' : `there is ${JSON.stringify([...text.slice(at, at + 2)][0])}`;
    return new Fault(pointer, `${what} is expected at character ${at + 1}, but ${found}`);
  }

  function readString(pointer: string): string {
    const end = closingQuote(text, at);
    const token = text.slice(at, end + 1);
    if (end >= text.length) throw new Fault(pointer, `the string that starts at character ${at + 1} does not end`);
    let value: string;
    try {
      value = JSON.parse(token);
    } catch {
      throw new Fault(pointer, 'a string holds an unescaped control character or an escape that does not exist');
    }
    at = end + 1;
    if (value.includes('\0')) throw new Fault(pointer, 'the character NUL (\\u0000) is not allowed');
    if (!value.isWellFormed()) throw new Fault(pointer, 'half of a surrogate pair (\\ud800 to \\udfff) is not allowed');
    return value;
  }

  function readScalar(pointer: string): void {
    let end = at;
    while (end < text.length && isScalarCode(text.charCodeAt(end))) end += 1;
    const token = text.slice(at, end);
    if (token === '') throw expected('a value', pointer);
    let value: unknown;
    try {
      value = JSON.parse(token);
    } catch {
      throw expected('a value', pointer);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Fault(pointer, 'the number is too large');
    at = end;
  }

  function readObject(pointer: string, depth: number): void {
    const seen = new Set<string>();
    at += 1;
    if (skipSpace() === 0x7d) {
      at += 1;
      return;
    }
    for (;;) {
      if (skipSpace() !== quote) throw expected('a key in quotes', pointer);
      const key = readString(pointer);
      const place = pointTo(pointer, key);
      if (key === '__proto__') throw new Fault(place, 'this key is not allowed');
      if (seen.has(key)) throw new Fault(place, 'the key appears twice');
      seen.add(key);
      keys += 1;
      if (keys > limits.maxKeys) throw new Fault(place, `there are more than ${limits.maxKeys} keys`);
      if (skipSpace() !== 0x3a) throw expected('a colon', place);
      at += 1;
      readValue(place, depth);
      const next = skipSpace();
      if (next !== 0x2c && next !== 0x7d) throw expected('a comma or }', pointer);
      at += 1;
      if (next === 0x7d) return;
    }
  }

  function readArray(pointer: string, depth: number): void {
    at += 1;
    if (skipSpace() === 0x5d) {
      at += 1;
      return;
    }
    for (let index = 0; ; index++) {
      readValue(pointTo(pointer, index), depth);
      const next = skipSpace();
      if (next !== 0x2c && next !== 0x5d) throw expected('a comma or ]', pointer);
      at += 1;
      if (next === 0x5d) return;
    }
  }

  function readValue(pointer: string, depth: number): void {
    const code = skipSpace();
    if (code === quote) {
      readString(pointer);
      return;
    }
    if (code !== 0x7b && code !== 0x5b) {
      readScalar(pointer);
      return;
    }
    if (depth >= limits.maxDepth) throw new Fault(pointer, `values are nested deeper than ${limits.maxDepth}`);
    if (code === 0x7b) readObject(pointer, depth + 1);
    else readArray(pointer, depth + 1);
  }

  readValue('', 0);
  skipSpace();
  if (at < text.length) throw expected('the end', '');
}

// Letters, digits, + - . : whatever a number, true, false or null can consist of.
function isScalarCode(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e
  );
}
