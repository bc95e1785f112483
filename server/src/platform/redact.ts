import { createSecretFinder } from './secret-forms.ts';

/** Takes secrets out of texts before they reach a log, an answer or a table. */
export interface Redact {
  /** The text without registered secrets and without what looks like one; at most `limit` characters when given. */
  text(value: string, limit?: number): string;
  /** From now on this value is removed in every spelling (raw, base64, hex, ...). Shorter than 8 characters: ignored. */
  addSecret(value: string): void;
  /** For text that arrives in pieces: a secret split over two pieces is found too. */
  stream(): RedactStream;
}

export interface RedactStream {
  /** What can be passed on now; the rest is held back while it could be the beginning of a secret. */
  push(piece: string): string;
  end(): string;
}

const mark = '[redacted]';
const cutMark = '...[cut]';
const longestShape = 256;

// Every expression must stay linear: no start of a match may lie inside a run that another start has scanned in vain.
const tokens: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, mark],
  [/dmk_[0-9A-Za-z]{16,}/g, `dmk_${mark}`],
  [/\bdm([ils])_[\w-]{40,}/g, `dm$1_${mark}`],
  [/\bsk-[\w-]{16,}/g, `sk-${mark}`],
  [/AIza[\w-]{30,}|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[opusr]_[0-9A-Za-z]{30,}|xox[abeoprs]-[0-9A-Za-z-]{10,}/g, mark],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, mark],
];
const shapes: typeof tokens = [
  ...tokens,
  [/\b(Bearer)\s+[\w.~+/=-]{8,}/gi, `$1 ${mark}`],
  [/\b(Basic)\s+[\w+/-]{16,}={0,2}/gi, `$1 ${mark}`],
  [/:\/\/[^\s/?#"'<>]+@/g, `://${mark}@`],
  [
    /((?:api[_-]?key|password|passwd|secret|(?:access|refresh|session|auth|id)[_-]?token|secret[_-]access[_-]key)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'&,;}\\[]{4,}/gi,
    `$1${mark}`,
  ],
];

/** Without what looks like a key or a token whatever stands around it: for words that are said back to who sent them. */
export function hideTokens(text: string): string {
  return tokens.reduce((clean, [shape, by]) => clean.replace(shape, by), text);
}

export function createRedact(secrets: Iterable<string> = []): Redact {
  const finder = createSecretFinder();
  for (const secret of secrets) finder.add(secret);

  function whole(text: string): string {
    let clean = finder.replace(text, mark);
    for (const [shape, by] of shapes) clean = clean.replace(shape, by);
    return clean;
  }

  return {
    addSecret: (value) => finder.add(value),
    text(value, limit = Number.POSITIVE_INFINITY) {
      if (value.length <= limit) return whole(value);
      // A secret that the cut would split is still whole here; the end, where one could be incomplete, goes away.
      const margin = Math.max(finder.longest(), longestShape);
      const clean = whole(value.slice(0, limit + margin));
      return clean.slice(0, Math.min(limit, Math.max(0, clean.length - margin))) + cutMark;
    },
    stream() {
      let held = '';
      return {
        push(piece) {
          const clean = finder.replace(held + piece, mark);
          const open = finder.openEnd(clean);
          held = clean.slice(clean.length - open);
          return clean.slice(0, clean.length - open);
        },
        end() {
          const rest = held;
          held = '';
          return rest;
        },
      };
    },
  };
}

const secretField =
  /^(?:key|kek|dek|pepper|passwd|pwd|credentials?|cookies?|setcookie)$|(?:apikey|masterkey|privatekey|accesskey|password|passphrase|secret|token|authorization|cookie)$/;

function isSecretField(name: string): boolean {
  return secretField.test(name.replaceAll(/[-_.\s]/g, '').toLowerCase());
}

const most = { depth: 6, values: 500, items: 100, name: 200, text: 2000, stack: 4000 } as const;
// JSON.stringify leaves DEL and the C1 controls as they are, and terminals obey them.
const controls = /[\u007f-\u009f]/g;

/**
 * A plain copy that can be written as one line of JSON: secrets redacted by name and by content, texts cut, errors
 * unfolded, cycles and depth bounded. Never throws, whatever the value's getters do.
 */
export function redactValue(value: unknown, redact: Redact): unknown {
  let budget: number = most.values;
  const open = new Set<object>();

  const clean = (text: string, limit: number) => redact.text(text, limit).replace(controls, '\ufffd');

  function copy(part: unknown, depth: number): unknown {
    try {
      if (typeof part === 'string') return clean(part, most.text);
      if (part === null || part === undefined || typeof part === 'boolean') return part;
      if (typeof part === 'number') return Number.isFinite(part) ? part : String(part);
      if (typeof part === 'bigint') return part.toString().slice(0, most.name);
      if (typeof part !== 'object') return `[${typeof part}]`;
      budget -= 1;
      if (budget < 0 || depth > most.depth) return '[more]';
      if (open.has(part)) return '[circular]';
      open.add(part);
      try {
        return copyObject(part, depth);
      } finally {
        open.delete(part);
      }
    } catch {
      return '[unreadable]';
    }
  }

  function copyObject(part: object, depth: number): unknown {
    if (part instanceof Error) return copyError(part, depth);
    if (part instanceof Date) return Number.isNaN(part.getTime()) ? 'Invalid Date' : part.toISOString();
    if (part instanceof URL) return clean(part.href, most.text);
    if (ArrayBuffer.isView(part)) return `[${part.byteLength} bytes]`;
    if (part instanceof Map || part instanceof Set) return `[${part.size} entries]`;
    if (Array.isArray(part)) {
      const items = part.slice(0, most.items).map((item) => copy(item, depth + 1));
      return part.length > most.items ? [...items, `[${part.length - most.items} more]`] : items;
    }
    const result: Record<string, unknown> = Object.create(null);
    const names = Object.keys(part);
    for (const name of names.slice(0, most.items)) {
      const shown = clean(name, most.name);
      result[shown] = field(name, () => (part as Record<string, unknown>)[name], depth);
    }
    if (names.length > most.items) result['[more]'] = names.length - most.items;
    return result;
  }

  function field(name: string, read: () => unknown, depth: number): unknown {
    try {
      const value = read();
      if (isSecretField(name) && value !== null && value !== undefined && typeof value !== 'boolean') return mark;
      return copy(value, depth + 1);
    } catch {
      return '[unreadable]';
    }
  }

  function copyError(error: Error, depth: number): unknown {
    const result: Record<string, unknown> = Object.create(null);
    for (const name of ['name', 'message', 'code', 'stack', 'cause'] as const) {
      const value = field(name, () => (error as unknown as Record<string, unknown>)[name], depth);
      if (value !== undefined) result[name] = value;
    }
    if (typeof error.stack === 'string') result.stack = clean(error.stack, most.stack);
    return result;
  }

  return copy(value, 0);
}
