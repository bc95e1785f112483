/** Shorter texts are too likely to appear by chance; they cannot be recognised as a secret. */
export const shortestSecret = 8;

/** The ways in which a secret can appear in a text: as it is, encoded, or inside something that was encoded. */
export function secretForms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  const forms = new Set([
    secret,
    hex,
    hex.toUpperCase(),
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    [...secret].reverse().join(''),
  ]);
  for (const shift of [0, 1, 2]) {
    const core = base64Core(bytes, shift);
    forms.add(core);
    forms.add(core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return [...forms].filter((form) => form.length >= shortestSecret);
}

// Base64 turns 3 bytes into 4 characters, so a secret inside a longer text has three spellings; the characters at
// the edges also hold bits of the neighbours and are left out.
function base64Core(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const clean = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(Math.ceil((shift * 8) / 6), clean);
}

export interface SecretFinder {
  add(secret: string): void;
  /** Length of the longest form that can be found. */
  longest(): number;
  replace(text: string, by: string): string;
  /** How many characters at the end of `text` could be the beginning of a secret. */
  openEnd(text: string): number;
}

const window = shortestSecret;
const base = 0x01000193;
const outgoing = Array.from({ length: window - 1 }).reduce<number>((power) => Math.imul(power, base), 1);
const slots = 1 << 14;

/** Finds any number of registered secrets in one pass over a text (a rolling hash over the first characters). */
export function createSecretFinder(): SecretFinder {
  const seen = new Set<string>();
  const byHash = new Map<number, string[]>();
  const byFirst = new Map<string, string[]>();
  const mayMatch = new Uint8Array(slots);
  let longest = 0;

  function formAt(text: string, start: number, hash: number): string | undefined {
    return byHash.get(hash)?.find((form) => text.startsWith(form, start));
  }

  return {
    add(secret) {
      if (secret.length < shortestSecret || seen.has(secret)) return;
      for (const form of secretForms(secret)) {
        if (seen.has(form)) continue;
        seen.add(form);
        const hash = hashOf(form);
        const same = [...(byHash.get(hash) ?? []), form].sort((a, b) => b.length - a.length);
        byHash.set(hash, same);
        mayMatch[hash & (slots - 1)] = 1;
        byFirst.set(form.charAt(0), [...(byFirst.get(form.charAt(0)) ?? []), form]);
        longest = Math.max(longest, form.length);
      }
    },
    longest: () => longest,
    replace(text, by) {
      if (byHash.size === 0 || text.length < window) return text;
      let out = '';
      let kept = 0;
      let hash = hashOf(text);
      for (let start = 0; ; ) {
        const form = mayMatch[hash & (slots - 1)] === 1 ? formAt(text, start, hash) : undefined;
        if (form !== undefined) {
          out += text.slice(kept, start) + by;
          kept = start + form.length;
          start = kept;
          if (start + window > text.length) break;
          hash = hashOf(text, start);
          continue;
        }
        if (start + window >= text.length) break;
        hash = Math.imul(hash - Math.imul(text.charCodeAt(start), outgoing), base) + text.charCodeAt(start + window);
        hash |= 0;
        start += 1;
      }
      return kept === 0 ? text : out + text.slice(kept);
    },
    openEnd(text) {
      const from = Math.max(0, text.length - longest + 1);
      for (let start = from; start < text.length; start++) {
        const forms = byFirst.get(text.charAt(start));
        if (forms === undefined) continue;
        const tail = text.slice(start);
        if (forms.some((form) => form.length > tail.length && form.startsWith(tail))) return tail.length;
      }
      return 0;
    },
  };
}

function hashOf(text: string, start = 0): number {
  let hash = 0;
  for (let i = start; i < start + window; i++) hash = (Math.imul(hash, base) + text.charCodeAt(i)) | 0;
  return hash;
}
