/** A line that holds what looks like a secret. The secret itself is shortened: what a check says ends in logs. */
export interface Leak {
  readonly rule: string;
  readonly line: number;
  readonly shown: string;
}

interface Rule {
  readonly name: string;
  readonly shape: RegExp;
  /** Whether a match is one that no server ever made. */
  readonly harmless?: (match: string, line: string) => boolean;
}

/** Values of tests say what they are; whoever copies a real key into a test has none of these in it. */
const reserved =
  /test|example|sample|fake|dummy|placeholder|redacted|attack|canary|nobody|secret|lab\b|x{6}|0{8}|1234567|abcdef/i;

/** The order of a key's letters tells nothing: about 4 bits a letter, where words have 2 to 3. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const made = (match: string) => reserved.test(match) || entropyOf(match) < 3.2;
const rules: readonly Rule[] = [
  { name: 'key of this platform', shape: /\bdmk_[0-9A-Za-z]{46}\b/g, harmless: made },
  { name: 'session or link of this platform', shape: /\bdm[sl]_[\w-]{43}\b/g, harmless: made },
  { name: 'private key', shape: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/=\\\s]{40,}/g },
  { name: 'key of OpenAI or Anthropic', shape: /\bsk-(?:proj-|ant-|svcacct-)?[\w-]{20,}/g, harmless: made },
  { name: 'key of Google', shape: /\bAIza[\w-]{35}\b/g, harmless: made },
  { name: 'key of AWS', shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, harmless: (match) => match.endsWith('EXAMPLE') },
  { name: 'token of GitHub', shape: /\bgh[opusr]_[0-9A-Za-z]{36}\b|\bgithub_pat_\w{50,}/g, harmless: made },
  { name: 'token of GitLab', shape: /\bglpat-[\w-]{20,}/g, harmless: made },
  { name: 'token of Slack', shape: /\bxox[abeoprs]-[0-9A-Za-z-]{20,}/g, harmless: made },
  { name: 'token of npm', shape: /\bnpm_[0-9A-Za-z]{36}\b/g, harmless: made },
  { name: 'key of Groq, Stripe or Hugging Face', shape: /\b(?:gsk|[rs]k_live|hf)_[0-9A-Za-z]{24,}\b/g, harmless: made },
  { name: 'signed token', shape: /\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,}/g },
  {
    name: 'password in an address',
    shape: /\b[a-z][a-z+]{2,15}:\/\/[^\s:@/'"`<>${}]{1,40}:([^\s:@/'"`<>${}]{8,80})@[a-z0-9.-]+/gi,
    harmless: (match) => made(passwordOf(match)),
  },
  {
    name: 'value that is named as a secret',
    shape: /(?:api_?key|secret|passw(?:or)?d|token|credential)s?\b['"]?\s*[:=]\s*['"`]([\w+/=.~-]{24,})['"`]/gi,
    harmless: (match, line) =>
      made(quotedOf(match)) || entropyOf(quotedOf(match)) < 4 || !/\d/.test(quotedOf(match)) || /sha512-/.test(line),
  },
];

const passwordOf = (match: string) => /:([^:]+)@/.exec(match.replace('://', ''))?.[1] ?? match;
const quotedOf = (match: string) => /['"`]([^'"`]*)['"`]$/.exec(match)?.[1] ?? match;

/** Every leak of a text, at most one for each rule and place. */
export function findSecrets(text: string): Leak[] {
  const leaks: Leak[] = [];
  for (const { name, shape, harmless } of rules) {
    for (const match of text.matchAll(shape)) {
      const line = text.slice(text.lastIndexOf('\n', match.index) + 1, match.index + match[0].length);
      if (harmless?.(match[0], line)) continue;
      const number = text.slice(0, match.index).split('\n').length;
      leaks.push({ rule: name, line: number, shown: `${match[0].slice(0, 8)}… (${match[0].length})` });
    }
  }
  return leaks;
}
