import type { EgressSurface } from '@damask/contracts/egress.ts';
import { AppError } from '../app-error.ts';
import { isSpecial, parseAddress, unwrap } from './address.ts';
import { type AllowList, bareHost } from './allow-list.ts';

/** Says where the server may call. Throws `egress_denied`, which names the address and the way out. */
export interface Guard {
  /** What can be judged without asking the network: when an address is saved, and at each redirect. */
  checkUrl(url: string, pointer?: string): URL;
  /** One resolved address, right before it is connected to. */
  checkAddress(host: string, port: number, address: string): void;
}

// Ports of mail, shells, databases, brokers, caches and control planes: they would take an HTTP request for a command,
// or answer it. The rest is what browsers refuse (Fetch standard, "bad port").
const closedPorts = new Set([
  ...[1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
  ...[110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526],
  ...[530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723],
  ...[2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5432, 5433, 5671, 5672],
  ...[5900, 5984, 6000, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7000, 7001, 9042, 9092],
  ...[9200, 9300, 10_080, 10_250, 10_255, 11_211, 15_671, 15_672, 25_672, 26_379, 27_017, 27_018],
]);

const settings: Readonly<Record<EgressSurface | 'own', string>> = {
  own: 'DAMASK_EGRESS_ALLOW',
  provider: 'DAMASK_EGRESS_ALLOW_PROVIDERS',
  identity_provider: 'DAMASK_EGRESS_ALLOW_IDENTITY_PROVIDERS',
  import: 'DAMASK_EGRESS_ALLOW_IMPORTS',
};

export interface GuardOptions {
  readonly surface: EgressSurface | 'own';
  readonly onDenied: () => void;
}

export function createGuard(allow: AllowList, { surface, onDenied }: GuardOptions): Guard {
  const wayOut = `The operator can permit it with ${settings[surface]}.`;
  const refuse = (reason: string, pointer?: string) => {
    onDenied();
    return denied(reason, pointer);
  };
  return {
    checkUrl(text, pointer) {
      const deny = (reason: string) => refuse(reason, pointer);
      if (!URL.canParse(text)) throw deny('This is not an address. Write it as https://host/path.');
      const url = new URL(text);
      if (url.protocol !== 'https:' && url.protocol !== 'http:') {
        throw deny(`Addresses that begin with ${url.protocol.slice(0, 20)} are not called. Use https.`);
      }
      if (url.username !== '' || url.password !== '') {
        throw deny('A user or password in the address is not allowed. Put the key into its own field.');
      }
      const port = portOf(url);
      const host = url.hostname;
      const shown = host.slice(0, 100);
      if (closedPorts.has(port) && !allow.namesPort(host, port)) throw deny(`Port ${port} is not called. ${wayOut}`);
      if (allow.allowsHost(host, port)) return url;
      const address = parseAddress(host);
      if (address === null) {
        if (isLocalName(host)) throw deny(`${shown} is this machine, which is not called. ${wayOut}`);
      } else if (isSpecial(unwrap(address)) && !allow.allowsAddress(address, port)) {
        throw deny(`${shown} is not a public address. ${wayOut}`);
      }
      return url;
    },
    checkAddress(host, port, text) {
      if (allow.allowsHost(host, port)) return;
      const address = parseAddress(text);
      if (address !== null && (!isSpecial(unwrap(address)) || allow.allowsAddress(address, port))) return;
      // The address itself is left out: it would tell a stranger how names resolve inside.
      throw refuse(`${host.slice(0, 100)} does not lead to a public address. ${wayOut}`);
    },
  };
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

export function denied(reason: string, pointer?: string): AppError {
  return new AppError('egress_denied', reason, pointer === undefined ? {} : { pointer });
}

function isLocalName(host: string): boolean {
  const name = bareHost(host);
  return name === 'localhost' || name.endsWith('.localhost');
}
