import { lookup as systemLookup } from 'node:dns/promises';
import type { EgressSurface } from '@damask/contracts/egress.ts';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { parseAllowList } from './allow-list.ts';
import { deadline, type FollowOptions, follow, fromNetwork } from './follow.ts';
import { createGuard } from './guard.ts';
import { createJudge, type EgressVerdict } from './judge.ts';
import { createPools, type EgressPool, type Lookup, type PoolOptions } from './pools.ts';

export type { EgressPool, Lookup, PoolOptions, Resolved } from './pools.ts';

export interface EgressRequest extends FollowOptions {
  /** Bytes of the answer's body; more is an error. 1 MiB by default. */
  readonly maxBytes?: number;
  /** For everything together; 30 s by default. */
  readonly totalMs?: number;
}

export interface EgressAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Where the answer came from in the end. */
  readonly url: string;
}

/** An answer whose body is still coming. Leaving the loop over `chunks` early closes the connection. */
export type EgressStream = Omit<EgressAnswer, 'body'> & { readonly chunks: AsyncIterable<Buffer> };

export type EgressDownload = Pick<FollowOptions, 'headers' | 'signal' | 'trusted' | 'idleMs'> & {
  readonly maxBytes?: number;
};

/**
 * The only way out. Everything that a user can enter as an address is judged when it is saved (`check`), at each
 * redirect and when it is connected to; only public addresses and the operator's list pass. Errors: `egress_denied` for
 * what is not allowed, `unavailable` for what fails.
 */
export interface Egress {
  /** Throws when this address would never be called. A name may still turn out to be private later. */
  check(url: string, pointer?: string): void;
  /** For many requests to one origin. The caller bounds time and bytes. */
  pool(origin: string, options?: PoolOptions): EgressPool;
  /** For an occasional request. Answers of any status are returned. */
  request(url: string, options?: EgressRequest): Promise<EgressAnswer>;
  /** The same, with the body piece by piece as it comes. It must be read, or left, for the connection to be free again. */
  stream(url: string, options?: EgressRequest): Promise<EgressStream>;
  /** A large file, piece by piece; anything but a 200 is an error. `total` is null when nobody said. */
  download(url: string, options?: EgressDownload): Promise<{ total: number | null; chunks: AsyncIterable<Buffer> }>;
  /** What may be called beyond the public internet. */
  readonly allow: readonly string[];
  /** What would come of a call there, as far as it can be known without making one. Redirects are judged when they come. */
  judge(url: string): Promise<EgressVerdict>;
  /** The same way out with the list of one kind of address. It shares no connection with another, and closes with this one. */
  surface(name: EgressSurface): Egress;
  close(): Promise<void>;
}

export interface EgressOptions {
  /** CIDR, address, host or host:port, with or without port; for every surface. Throws when an entry is none of them. */
  readonly allow: readonly string[];
  /** What one surface may call beyond that. */
  readonly allowOf?: Partial<Record<EgressSurface, readonly string[]>>;
  /** Hears of each refusal: `own` is what no surface was named for. */
  readonly onDenied?: (surface: EgressSurface | 'own') => void;
  readonly clock: Clock;
  readonly lookup?: Lookup;
  readonly limits?: Partial<typeof defaults>;
}

const defaults = {
  /** Origins with open connections. */
  origins: 256,
  /** Connections to one origin. */
  connections: 4096,
  connectTimeoutMs: 5_000,
  headerBytes: 32 * 1024,
};

const mebibyte = 1024 * 1024;
const longestDownload = 64 * 1024 * mebibyte;

export function createEgress(options: EgressOptions): Egress {
  const surfaces = new Map<EgressSurface, Egress>();
  const own = openWay(options, options.allow, 'own', (name) => {
    const opened = surfaces.get(name);
    if (opened) return opened;
    const allow = [...options.allow, ...(options.allowOf?.[name] ?? [])];
    const made = openWay(options, allow, name, (other) => own.surface(other));
    surfaces.set(name, made);
    return made;
  });
  return {
    ...own,
    async close() {
      await Promise.all([own, ...surfaces.values()].map((way) => way.close()));
    },
  };
}

function openWay(
  options: EgressOptions,
  allow: readonly string[],
  surface: EgressSurface | 'own',
  other: (name: EgressSurface) => Egress,
): Egress {
  const { clock } = options;
  const limits = { ...defaults, ...options.limits };
  const list = parseAllowList(allow);
  const guard = createGuard(list, { surface, onDenied: () => options.onDenied?.(surface) });
  // A question is no call that was refused.
  const asked = createGuard(list, { surface, onDenied: () => undefined });
  const lookup = options.lookup ?? ((host: string) => systemLookup(host, { all: true }));
  const pools = createPools({ guard, lookup, most: limits.origins, ...limits });

  async function stream(url: string, given: EgressRequest = {}): Promise<EgressStream> {
    const host = hostOf(url);
    const limit = deadline(clock, given.totalMs ?? 30_000, host, given.signal);
    try {
      const { answer, url: last } = await follow({ guard, pools }, url, { ...given, signal: limit.signal });
      const body = bounded(answer.body, given.maxBytes ?? mebibyte, host, limit.signal);
      const chunks = whenOver(body, () => limit.stop());
      return { status: answer.statusCode, headers: answer.headers, url: last.href, chunks };
    } catch (error) {
      limit.stop();
      throw fromNetwork(error, host, limit.signal);
    }
  }

  return {
    check(url, pointer) {
      guard.checkUrl(url, pointer);
    },
    pool: (origin, given = {}) => pools.of(origin, given),

    async request(url, given = {}) {
      const { chunks, ...answer } = await stream(url, given);
      const pieces: Buffer[] = [];
      for await (const piece of chunks) pieces.push(piece);
      return { ...answer, body: Buffer.concat(pieces) };
    },

    stream,

    async download(url, given = {}) {
      const host = hostOf(url);
      try {
        const { answer } = await follow({ guard, pools }, url, given);
        if (answer.statusCode !== 200) {
          answer.body.on('error', () => undefined).destroy();
          throw new AppError('unavailable', `${host} answered ${answer.statusCode} instead of the file.`);
        }
        const length = Number(answer.headers['content-length'] ?? Number.NaN);
        const chunks = bounded(answer.body, given.maxBytes ?? longestDownload, host, given.signal);
        return { total: Number.isSafeInteger(length) ? length : null, chunks };
      } catch (error) {
        throw fromNetwork(error, host, given.signal);
      }
    },

    judge: createJudge({ guard: asked, lookup, clock }),
    allow,
    surface: other,
    close: () => pools.close(),
  };
}

/** Leaving the loop early closes the connection. */
async function* bounded(
  body: AsyncIterable<Buffer>,
  most: number,
  host: string,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let received = 0;
  try {
    for await (const piece of body) {
      received += piece.length;
      if (received > most) throw new AppError('unavailable', `${host} sent more than the ${most} bytes that are read.`);
      yield piece;
    }
  } catch (error) {
    throw fromNetwork(error, host, signal);
  }
}

async function* whenOver(chunks: AsyncIterable<Buffer>, done: () => void): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } finally {
    done();
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host.slice(0, 200) : 'The address';
}
