import { inRange, parseAddress, parseRange, type Range, unwrap, unwrapRange } from '#platform/egress/address.ts';

/** What of a request tells where it comes from; node's requests of HTTP/1.1 and HTTP/2 have all of it. */
export interface AddressSource {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The address of the client: of the connection, or the one that a trusted proxy names. */
export type ClientAddress = (source: AddressSource) => string;

/** Entries of X-Forwarded-For that are looked at, from the right: nobody has a longer row of proxies. */
const longestRow = 32;
const rememberedMost = 10_000;
const longestAddress = 64;

/**
 * Reads X-Forwarded-For from the right, as far as each hop is one of `proxies` (addresses and CIDRs). The first that is
 * none is the client: what stands left of it is the client's own claim. Other headers of the kind are never read.
 */
export function createClientAddress(proxies: readonly string[]): ClientAddress {
  const isTrusted = createAddressSet(proxies);
  return ({ headers, socket }) => {
    let client = socket.remoteAddress ?? '';
    const forwarded = headers?.['x-forwarded-for'];
    if (proxies.length === 0 || forwarded === undefined) return client;
    const hops = String(forwarded).split(',');
    const last = Math.max(0, hops.length - longestRow);
    for (let at = hops.length - 1; at >= last; at--) {
      if (!isTrusted(client)) return client;
      const next = withoutPort((hops[at] as string).trim());
      // A trusted proxy that writes no address ("unknown") hides its client; then its own counts.
      if (parseAddress(next) === null) return client;
      client = next;
    }
    return client;
  };
}

/** Whether an address is one of `entries`: addresses and CIDRs. */
export function createAddressSet(entries: readonly string[]): (address: string) => boolean {
  const ranges = entries.map((text) => unwrapRange(parseRange(text) as Range));
  const known = new Map<string, boolean>();
  return (text) => {
    if (ranges.length === 0) return false;
    const before = known.get(text);
    if (before !== undefined) return before;
    const address = parseAddress(text);
    const found = address !== null && ranges.some((range) => inRange(unwrap(address), range));
    // The same proxies come again and again; strangers may be many.
    if (known.size >= rememberedMost) known.clear();
    if (text.length <= longestAddress) known.set(text, found);
    return found;
  };
}

function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
}
