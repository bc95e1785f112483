import { looksLikeApiKey } from '../api-key.ts';
import type { Finding } from './finding.ts';

// What vendors begin their keys with so that they can be found, and what follows. They are looked for where
// a word begins, which is five times as fast as one expression of all. Each takes a run of one class, so that all stays linear.
const keys: readonly (readonly [string, RegExp])[] = [
  // OpenAI, Anthropic and who followed them
  ['sk-', /[\w-]{20,}/y],
  // Google: keys and access tokens
  ['AIza', /[\w-]{35}/y],
  ['ya29.', /[\w-]{20,}/y],
  // Amazon
  ['AKIA', /[0-9A-Z]{16}(?![0-9A-Z])/y],
  ['ASIA', /[0-9A-Z]{16}(?![0-9A-Z])/y],
  ['gh', /[opusr]_[0-9A-Za-z]{36,}/y],
  ['github_pat_', /[0-9A-Za-z_]{40,}/y],
  ['glpat-', /[\w-]{20,}/y],
  // Slack
  ['xox', /[abeoprs]-[0-9A-Za-z-]{20,}/y],
  ['xapp-', /[0-9A-Za-z-]{20,}/y],
  // Stripe and Standard Webhooks
  ['sk_', /(?:live|test)_[0-9A-Za-z]{16,}/y],
  ['rk_', /(?:live|test)_[0-9A-Za-z]{16,}/y],
  ['whsec_', /[0-9A-Za-z+/=]{24,}/y],
  ['npm_', /[0-9A-Za-z]{36}/y],
  ['pypi-', /[\w-]{50,}/y],
  // Hugging Face, SendGrid, Vault, Groq
  ['hf_', /[0-9A-Za-z]{30,}/y],
  ['SG.', /[\w-]{16,32}\.[\w-]{30,}/y],
  ['hvs.', /[\w-]{24,}/y],
  ['gsk_', /[0-9A-Za-z]{40,}/y],
  // A JSON Web Token: three parts, of which two begin as `{"` does in base64.
  ['eyJ', /[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]{8,}/y],
  ['dmk_', /[0-9A-Za-z]{46}(?![0-9A-Za-z])/y],
];
const byFirst = new Map<number, (readonly [string, RegExp])[]>();
for (const key of keys) {
  const first = key[0].charCodeAt(0);
  byFirst.set(first, [...(byFirst.get(first) ?? []), key]);
}
const isWord = new Uint8Array(128);
for (const character of '-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') {
  isWord[character.charCodeAt(0)] = 1;
}
const credential = /(?:earer|EARER|asic|ASIC)[ \t]{1,4}([\w.~+/-]{20,}={0,2})/y;
const privateKey = /-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY-----/g;
const privateKeyEnd = /-----END (?:[A-Z]{2,12} ){0,3}PRIVATE KEY-----/g;

/** Keys of ours and of vendors, private keys, tokens and credentials of an Authorization header. */
export function findSecrets(text: string): Finding[] {
  const found: Finding[] = [];
  if (text.length < 20) return found;
  const add = (start: number, end: number) => found.push({ start, end, kind: 'secret' });
  for (let at = 0, inside = false; at < text.length - 20; at++) {
    const code = text.charCodeAt(at);
    const word = code < 128 && isWord[code] === 1;
    if (!word || inside) {
      inside = word;
      continue;
    }
    inside = true;
    const end = endOfSecret(text, at, code, add);
    if (end > at) at = end - 1;
  }
  if (text.includes('PRIVATE KEY-----')) findPrivateKeys(text, add);
  return found;
}

function findPrivateKeys(text: string, add: (start: number, end: number) => void): void {
  privateKey.lastIndex = 0;
  for (let begin = privateKey.exec(text); begin; begin = privateKey.exec(text)) {
    privateKeyEnd.lastIndex = privateKey.lastIndex;
    const end = privateKeyEnd.exec(text);
    // Without its end line it may have been cut off: the rest of the text is taken for it.
    const until = end ? privateKeyEnd.lastIndex : text.length;
    add(begin.index, until);
    privateKey.lastIndex = until;
  }
}

/** Where a secret ends that begins here; `at` where there is none. */
function endOfSecret(text: string, at: number, code: number, add: (start: number, end: number) => void): number {
  for (const [begin, rest] of byFirst.get(code) ?? nothing) {
    if (!text.startsWith(begin, at)) continue;
    rest.lastIndex = at + begin.length;
    const value = rest.exec(text)?.[0];
    if (value === undefined || !isRandom(value)) continue;
    const end = at + begin.length + value.length;
    if (begin === 'dmk_' && !looksLikeApiKey(text.slice(at, end))) continue;
    add(at, end);
    return end;
  }
  if (code !== 66 && code !== 98) return at;
  credential.lastIndex = at + 1;
  const [all = '', value = ''] = credential.exec(text) ?? [];
  // A sentence may go on after the word; a credential has no words in it.
  if (value === '' || !isRandom(value)) return at;
  const end = at + 1 + all.length;
  add(end - value.length, end);
  return end;
}

const nothing: readonly (readonly [string, RegExp])[] = [];

/** Tells `sk-your-key-goes-here-please` and `AKIAXXXXXXXXXXXXXXXX` from a key: those have few different characters, or no digit. */
function isRandom(value: string): boolean {
  return /\d/.test(value) && new Set(value).size >= 8 && !/x{6}|X{6}|0{8}|your[_-]/.test(value);
}
