import { AppError } from './app-error.ts';

export interface JsonLimits {
  /** Objects and arrays inside one another. */
  readonly maxDepth: number;
  /** Keys of all objects together. */
  readonly maxKeys: number;
  /** Values of all arrays and objects together: each costs memory far beyond its two characters. */
  readonly maxValues: number;
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

/** The error for a body that is not one strict JSON value. */
export function refuseJson(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', `The body must be one strict JSON value: ${detail}.`, {
    pointer: pointer.toWellFormed().slice(0, longestPointer),
  });
}

/**
 * Reads a text by the letter: slower than JSON.parse, but exact, and it says what is wrong and where
 * (`invalid_request`). For texts that are refused, and for keys with escapes, some of which V8 reads as another key
 * that it has seen before (nodejs/node#63785).
 */
export function readJson(text: string, limits: JsonLimits): unknown {
  let at = 0;
  let keys = 0;
  let values = 0;

  function skipSpace(): number {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      at += 1;
    }
  }

  function expected(what: string, pointer: string): AppError {
    const found = at >= text.length ? 'the text ends' : `there is ${JSON.stringify([...text.slice(at, at + 2)][0])}`;
    return refuseJson(pointer, `${what} is expected at character ${at + 1}, but ${found}`);
  }

  function readString(pointer: string): string {
    const end = closingQuote(text, at);
    const token = text.slice(at, end + 1);
    if (end >= text.length) throw refuseJson(pointer, `the string that starts at character ${at + 1} does not end`);
    let value: string;
    try {
      value = JSON.parse(token);
    } catch {
      throw refuseJson(pointer, 'a string holds an unescaped control character or an escape that does not exist');
    }
    at = end + 1;
    if (value.includes('\0')) throw refuseJson(pointer, 'the character NUL (\\u0000) is not allowed');
    if (!value.isWellFormed())
      throw refuseJson(pointer, 'half of a surrogate pair (\\ud800 to \\udfff) is not allowed');
    return value;
  }

  function readScalar(pointer: string): unknown {
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
    if (typeof value === 'number' && !Number.isFinite(value)) throw refuseJson(pointer, 'the number is too large');
    at = end;
    return value;
  }

  function readObject(pointer: string, depth: number): unknown {
    const result: Record<string, unknown> = {};
    at += 1;
    if (skipSpace() === 0x7d) {
      at += 1;
      return result;
    }
    for (;;) {
      if (skipSpace() !== quote) throw expected('a key in quotes', pointer);
      const key = readString(pointer);
      const place = pointTo(pointer, key);
      if (key === '__proto__') throw refuseJson(place, 'this key is not allowed');
      if (Object.hasOwn(result, key)) throw refuseJson(place, 'the key appears twice');
      keys += 1;
      if (keys > limits.maxKeys) throw refuseJson(place, `there are more than ${limits.maxKeys} keys`);
      if (skipSpace() !== 0x3a) throw expected('a colon', place);
      at += 1;
      result[key] = readValue(place, depth);
      const next = skipSpace();
      if (next !== 0x2c && next !== 0x7d) throw expected('a comma or }', pointer);
      at += 1;
      if (next === 0x7d) return result;
    }
  }

  function readArray(pointer: string, depth: number): unknown {
    const result: unknown[] = [];
    at += 1;
    if (skipSpace() === 0x5d) {
      at += 1;
      return result;
    }
    for (let index = 0; ; index++) {
      result.push(readValue(pointTo(pointer, index), depth));
      const next = skipSpace();
      if (next !== 0x2c && next !== 0x5d) throw expected('a comma or ]', pointer);
      at += 1;
      if (next === 0x5d) return result;
    }
  }

  function readValue(pointer: string, depth: number): unknown {
    const code = skipSpace();
    values += 1;
    if (values > limits.maxValues) throw refuseJson(pointer, `there are more than ${limits.maxValues} values`);
    if (code === quote) return readString(pointer);
    if (code !== 0x7b && code !== 0x5b) return readScalar(pointer);
    if (depth >= limits.maxDepth) throw refuseJson(pointer, `values are nested deeper than ${limits.maxDepth}`);
    return code === 0x7b ? readObject(pointer, depth + 1) : readArray(pointer, depth + 1);
  }

  const value = readValue('', 0);
  skipSpace();
  if (at < text.length) throw expected('the end', '');
  return value;
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
