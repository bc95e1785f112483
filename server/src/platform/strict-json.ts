import { isUtf8 } from 'node:buffer';
import { closingQuote, type JsonLimits, readJson, refuseJson } from './json-reader.ts';

export const jsonLimits: JsonLimits = { maxDepth: 32, maxKeys: 10_000, maxValues: 250_000 };

/**
 * Parses a body that a stranger sent. Refuses (`invalid_request`, with a pointer) what parsers disagree about or what the
 * database cannot hold: duplicate keys, `__proto__`, NUL, half surrogates, numbers beyond a double, invalid UTF-8, a
 * byte order mark, and more depth, keys or values than the limits.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = jsonLimits): unknown {
  const text = decode(bytes);
  const keys = scanKeys(text, limits);
  if (keys >= 0) {
    const value = parseOrNothing(text);
    // JSON.parse keeps one of two equal keys, so an object with a duplicate has fewer keys than its text has colons.
    if (value !== undefined && countKeys(value) === keys) return value;
  }
  return readJson(text, limits);
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw refuseJson('', 'its bytes are not valid UTF-8');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw refuseJson('', 'it starts with a byte order mark; send it without');
  }
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}

/** Number of keys in the text, or -1 when it has to be read by the letter. What is no JSON is left to JSON.parse. */
function scanKeys(text: string, limits: JsonLimits): number {
  if (text.includes('\\u') && hasBadEscape(text)) return -1;
  const length = text.length;
  let keys = 0;
  let values = 0;
  let depth = 0;
  let open = 0;
  let close = 0;
  let slash = -1;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      open = at;
      close = closingQuote(text, at);
      at = close;
    } else if (code === 0x3a) {
      keys += 1;
      if (slash < open) slash = nextEscape(text, open);
      if (slash < close) return -1;
    } else if (code === 0x2c) {
      values += 1;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      values += 1;
      if (depth > limits.maxDepth) return -1;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
    }
  }
  // A container may be empty, so this counts some values too many; the reader by the letter has the last word.
  return keys > limits.maxKeys || values >= limits.maxValues ? -1 : keys;
}

function nextEscape(text: string, from: number): number {
  const at = text.indexOf('\\', from);
  return at < 0 ? text.length : at;
}

/** Whether an escape spells NUL or half of a surrogate pair. */
function hasBadEscape(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at + 2)) {
    if (text.charCodeAt(at + 1) !== 0x75) continue;
    const unit = escapedUnit(text, at);
    if (unit === 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return true;
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.startsWith('\\u', at + 6) ? escapedUnit(text, at + 6) : 0;
      if (next < 0xdc00 || next > 0xdfff) return true;
      at += 6;
    }
  }
  return false;
}

function escapedUnit(text: string, at: number): number {
  return Number.parseInt(text.slice(at + 2, at + 6), 16);
}

/** Number of keys in the value, or NaN when it holds a key or number that is refused. */
function countKeys(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'number' || typeof item === 'object') count += countKeys(item);
    }
    return count;
  }
  for (const key in value) {
    if (key === '__proto__') return Number.NaN;
    count += 1;
    const item: unknown = (value as Record<string, unknown>)[key];
    if (typeof item === 'number' || typeof item === 'object') count += countKeys(item);
  }
  return count;
}
