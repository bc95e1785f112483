import { isIPv4, isIPv6 } from 'node:net';

/** 4 or 16 bytes. */
export type Address = Uint8Array;

/** Reads an IPv4 or IPv6 address as texts of the system and of `URL` write them. Null for anything else. */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  const bare = (text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text).replace(/%.*$/, '');
  return isIPv6(bare) ? parseIPv6(bare) : null;
}

function parseIPv6(text: string): Address {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(2).map(Number);
    return parseIPv6(`${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`);
  }
  const [left = '', right] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

export interface Range {
  readonly bytes: Address;
  readonly bits: number;
}

export function parseRange(text: string): Range | null {
  const [start = '', length, ...more] = text.split('/');
  const bytes = parseAddress(start);
  if (bytes === null || more.length > 0) return null;
  if (length === undefined) return { bytes, bits: bytes.length * 8 };
  if (!/^\d{1,3}$/.test(length) || Number(length) > bytes.length * 8) return null;
  return { bytes, bits: Number(length) };
}

export function inRange(address: Address, range: Range): boolean {
  if (address.length !== range.bytes.length) return false;
  const whole = range.bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== range.bytes[i]) return false;
  const rest = range.bits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((address[whole] ?? 0) & mask) === ((range.bytes[whole] ?? 0) & mask);
}

function ranges(...texts: string[]): Range[] {
  return texts.map((text) => parseRange(text) as Range);
}

// ::ffff:0:0/96 mapped, ::/96 compatible, ::ffff:0:0:0/96 translated, 64:ff9b::/96 NAT64: the last 4 bytes are IPv4.
const carriers = ranges('::ffff:0:0/96', '::/96', '::ffff:0:0:0/96', '64:ff9b::/96');
const ownIPv6 = ranges('::/128', '::1/128');

/** The IPv4 address that an IPv6 form stands for, or the address itself. */
export function unwrap(address: Address): Address {
  if (address.length === 4 || ownIPv6.some((range) => inRange(address, range))) return address;
  return carriers.some((range) => inRange(address, range)) ? address.slice(12) : address;
}

/** An IPv4 range that may be written in an IPv6 form, as addresses are compared: unwrapped. */
export function unwrapRange(range: Range): Range {
  const bytes = unwrap(range.bytes);
  return bytes.length === range.bytes.length || range.bits < 96 ? range : { bytes, bits: range.bits - 96 };
}

// The IANA special-purpose registries. Beyond them: Azure's host at 168.63.129.16, which serves secrets to its guests.
const specialIPv4 = ranges(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '168.63.129.16/32', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
);
// Only 2000::/3 is routed publicly. Inside it: protocol assignments with Teredo, documentation, and 6to4, which hides IPv4.
const publicIPv6 = ranges('2000::/3');
const specialIPv6 = ranges('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20');

/** Whether an address (unwrapped) belongs to a machine, a site or a protocol rather than to the public internet. */
export function isSpecial(address: Address): boolean {
  if (address.length === 4) return specialIPv4.some((range) => inRange(address, range));
  return !publicIPv6.some((range) => inRange(address, range)) || specialIPv6.some((range) => inRange(address, range));
}
