import { type Address, inRange, parseAddress, parseRange, type Range, unwrap, unwrapRange } from './address.ts';

/** What the operator permits beyond the public internet. Empty: nothing. */
export interface AllowList {
  /** Whatever this name resolves to. */
  allowsHost(host: string, port: number): boolean;
  allowsAddress(address: Address, port: number): boolean;
  /** Whether an entry names this port, and so also one that is otherwise closed. */
  namesPort(host: string, port: number): boolean;
}

interface HostEntry {
  readonly host: string;
  readonly port: number | null;
}

interface RangeEntry extends Range {
  readonly port: number | null;
}

const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

/** Entries: `10.0.0.0/8`, `10.1.2.3`, `10.1.2.3:8080`, `[fd00::1]:8080`, `ollama.lan`, `ollama.lan:11434`. */
export function parseAllowList(entries: readonly string[]): AllowList {
  const hosts: HostEntry[] = [];
  const ranges: RangeEntry[] = [];
  for (const entry of entries) {
    const { host, port } = splitPort(entry.trim());
    const range = parseRange(host);
    if (range !== null) ranges.push({ ...unwrapRange(range), port });
    else if (hostName.test(bareHost(host))) hosts.push({ host: bareHost(host), port });
    else throw new Error(`"${entry}" in the list of allowed addresses is not a CIDR, an address, host or host:port.`);
  }
  const fits = (entry: { port: number | null }, port: number) => entry.port === null || entry.port === port;

  return {
    allowsHost: (host, port) => hosts.some((entry) => entry.host === bareHost(host) && fits(entry, port)),
    allowsAddress: (address, port) => ranges.some((entry) => inRange(unwrap(address), entry) && fits(entry, port)),
    namesPort(host, port) {
      const address = parseAddress(host);
      if (address === null) return hosts.some((entry) => entry.host === bareHost(host) && entry.port === port);
      return ranges.some((entry) => entry.port === port && inRange(unwrap(address), entry));
    },
  };
}

/** Whether `parseAllowList` takes it. */
export function isAllowEntry(entry: string): boolean {
  try {
    parseAllowList([entry]);
    return true;
  } catch {
    return false;
  }
}

/** Lower case and without the dot that makes a name absolute. */
export function bareHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function splitPort(entry: string): { host: string; port: number | null } {
  const match = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(entry);
  const port = Number(match?.[2]);
  return match?.[1] !== undefined && port > 0 && port < 65_536 ? { host: match[1], port } : { host: entry, port: null };
}
