import { randomBytes } from 'node:crypto';

/**
 * A string that occurs nowhere else. `secret`: only the one answer that makes it known may hold it. `text`: who may read it, and what
 * is sealed. `unstored`: the same without what is sealed.
 */
export interface Canary {
  readonly name: string;
  readonly kind: 'secret' | 'text' | 'unstored';
  /** What is looked for: the part that only chance could have made. */
  readonly core: Buffer;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Letters and digits by chance; `small` ones are a part of any name. */
export function chance(length: number, small = false): string {
  const letters = small ? 36 : alphabet.length;
  return [...randomBytes(length)].map((byte) => alphabet[byte % letters]).join('');
}

const bases = [0, 1, 2];
const utf16be = (bytes: Buffer) => Buffer.from(bytes.toString('latin1'), 'utf16le').swap16();
const each = (bytes: Buffer, word: (byte: number) => string) => Buffer.from([...bytes].map(word).join(''));
const twoDigits = (byte: number) => byte.toString(16).padStart(2, '0');

/** Base64 of a longer text that holds `bytes` behind `shift` others, without the letters that depend on its neighbours. */
function base64(bytes: Buffer, shift: number): Buffer {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '');
  return Buffer.from(text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6)));
}

const forBrowsers = (text: Buffer) => Buffer.from(text.toString().replaceAll('+', '-').replaceAll('/', '_'));

/** The forms in which bytes may hide, by name. Letters and digits stay themselves in addresses, in JSON and in HTML. */
export function formsOf(core: Buffer): readonly (readonly [form: string, bytes: Buffer])[] {
  const once = bases.map((shift) => base64(core, shift));
  const hex = core.toString('hex');
  return [
    ['as it is', core],
    ['reversed', Buffer.from(core).reverse()],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ...once.map((bytes) => ['base64', bytes] as const),
    ...once.map((bytes) => ['base64url', forBrowsers(bytes)] as const),
    ...once.flatMap((bytes) => bases.map((shift) => ['base64 twice', base64(bytes, shift)] as const)),
    ['percent-encoded', each(core, (byte) => `%${twoDigits(byte).toUpperCase()}`)],
    ['percent-encoded, small', each(core, (byte) => `%${twoDigits(byte)}`)],
    ['escaped for JSON', each(core, (byte) => `\\u00${twoDigits(byte)}`)],
    ['escaped for HTML', each(core, (byte) => `&#${byte};`)],
    ['a list of bytes', each(core, (byte) => `${byte},`)],
    ['UTF-16', Buffer.from(core.toString('latin1'), 'utf16le')],
    ['UTF-16, big end first', utf16be(core)],
  ];
}

/** How many forms have a name of their own. */
export const formCount = new Set(formsOf(Buffer.alloc(24)).map(([form]) => form)).size;
