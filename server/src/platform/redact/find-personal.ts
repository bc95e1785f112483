import type { Finding } from './finding.ts';

const local = /[A-Za-z0-9._%+'-]/;
const domain = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){1,8}/;

/** Addresses of e-mail: each @ is looked at from where it stands, 64 characters to the left and 255 to the right. */
export function findEmails(text: string): Finding[] {
  const found: Finding[] = [];
  for (let at = text.indexOf('@'), from = 0; at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    const least = Math.max(from, at - 64);
    while (start > least && (local.test(text.charAt(start - 1)) || text.charCodeAt(start - 1) > 0xbf)) start -= 1;
    while (start < at && /[.'-]/.test(text.charAt(start))) start += 1;
    if (start === at) continue;
    const host = domain.exec(text.slice(at + 1, at + 256))?.[0];
    // The last label is a top-level domain: letters, or the xn-- form of others.
    if (host === undefined || !/\.(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})$/.test(host)) continue;
    from = at + 1 + host.length;
    found.push({ start, end: from, kind: 'email' });
  }
  return found;
}

// Lengths by what a number begins with (ISO/IEC 7812 ranges in use): a number of another range is no card.
const ranges: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|095|[689])/, [14, 16]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:50|5[6-9]|6[0-9])/, [16, 18, 19]],
];
const digitGroups = /(?<![\dA-Za-z_.-])\d(?:[ -]?\d){11,18}(?![\dA-Za-z_]|[-.]\d)/g;

/** Numbers of payment cards: of a known range and length, and right by Luhn's sum. */
export function findCards(text: string): Finding[] {
  const found: Finding[] = [];
  for (const { 0: shown, index } of text.matchAll(digitGroups)) {
    const digits = shown.replaceAll(/[ -]/g, '');
    const fits = ranges.some(([begin, lengths]) => begin.test(digits) && lengths.includes(digits.length));
    if (fits && isEvenGroups(shown) && passesLuhn(digits)) {
      found.push({ start: index, end: index + shown.length, kind: 'card' });
    }
  }
  return found;
}

/** Cards are written in one piece or in groups of four to six: `2024-11-05 12 30 59 001` is no card. */
function isEvenGroups(shown: string): boolean {
  const groups = shown.split(/[ -]/);
  return groups.length === 1 || groups.every((group, at) => group.length >= (at === groups.length - 1 ? 1 : 4));
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, twice = false; at >= 0; at--, twice = !twice) {
    const digit = digits.charCodeAt(at) - 48;
    sum += twice ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0 && /[^0]/.test(digits);
}

const american = /(?<![\w+./-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w]|[-.]\d)/g;

/** Telephone numbers in international form (E.164 with the usual separators) and in the North American one. */
export function findPhones(text: string): Finding[] {
  const found: Finding[] = [];
  for (let at = text.indexOf('+'); at !== -1; at = text.indexOf('+', at + 1)) {
    const end = endOfInternational(text, at);
    if (end !== -1) found.push({ start: at, end, kind: 'phone' });
  }
  for (const { 0: shown, index } of text.matchAll(american)) {
    // No area and no exchange begins with 0 or 1.
    const digits = shown.replaceAll(/\D/g, '');
    if (/^[2-9]\d\d[2-9]/.test(digits)) found.push({ start: index, end: index + shown.length, kind: 'phone' });
  }
  return found;
}

const separator = /[ \u00a0./()-]/;

/** Where the number ends whose + stands at `from`; -1 where it is none. */
function endOfInternational(text: string, from: number): number {
  if (from > 0 && /[\w+.=/-]/.test(text.charAt(from - 1))) return -1;
  if (!/[1-9]/.test(text.charAt(from + 1))) return -1;
  let digits = 0;
  let end = -1;
  for (let at = from + 1, apart = ''; at < text.length; at++) {
    const character = text.charAt(at);
    if (character >= '0' && character <= '9') {
      digits += 1;
      end = at + 1;
      apart = '';
      if (digits > 16) return -1;
    } else {
      apart += character;
      // Two stand together only around the area code: `+49 (30) 123`.
      const allowed = apart.length === 1 || (apart.length === 2 && /[()]/.test(apart));
      if (!allowed || !separator.test(character)) break;
    }
  }
  return digits >= 8 && !/\w/.test(text.charAt(end)) ? end : -1;
}

// Lengths of the SWIFT IBAN registry, release 99.
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 ' +
    'FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 ' +
    'LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 ' +
    'SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
const ibanStart = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ ]?[A-Za-z0-9])/g;

/** International bank account numbers: of the length of their country, and right by their remainder of 97. */
export function findIbans(text: string): Finding[] {
  const found: Finding[] = [];
  for (const { 0: start, index } of text.matchAll(ibanStart)) {
    const length = ibanLengths[start.slice(0, 2).toUpperCase()];
    const end = length === undefined ? -1 : endOfGroups(text, index, length);
    if (end !== -1 && remainder(text.slice(index, end)) === 1) found.push({ start: index, end, kind: 'iban' });
  }
  return found;
}

/** Where `length` letters and digits end that stand together or in groups of four; -1 where they do not. */
function endOfGroups(text: string, from: number, length: number): number {
  let at = from;
  for (let count = 0; count < length; count++) {
    if (text[at] === ' ' && count % 4 === 0) at += 1;
    if (!/[A-Za-z0-9]/.test(text.charAt(at))) return -1;
    at += 1;
  }
  return /[A-Za-z0-9]/.test(text.charAt(at)) ? -1 : at;
}

function remainder(shown: string): number {
  const plain = shown.replaceAll(' ', '').toUpperCase();
  let rest = 0;
  for (const character of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
