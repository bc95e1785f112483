import type { LookupFunction } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { AppError } from '../app-error.ts';
import { parseAddress } from './address.ts';
import { ConnectionPool } from './connection-pool.ts';
import { denied, type Guard, portOf } from './guard.ts';

export interface Resolved {
  readonly address: string;
  readonly family: number;
}
/** All addresses of a name. */
export type Lookup = (host: string) => Promise<readonly Resolved[]>;

export interface PoolOptions {
  /** The operator named this origin, so its addresses are not judged. Never for what a user entered. */
  readonly trusted?: boolean;
  /** A Unix socket instead of host and port; trusted only. */
  readonly socketPath?: string;
  /** Connections at the same time. */
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
  /** Connections are not shared between scopes, for instance between credentials. */
  readonly scope?: string;
}

/** Sends requests to one origin over guarded connections that are kept. Follows no redirects. */
export type EgressPool = Pick<Dispatcher, 'dispatch'>;

export interface Pools {
  /** Valid as long as the egress is; what lies beneath is closed when unused and opened again. */
  of(origin: string, options: PoolOptions): EgressPool & { live(): ConnectionPool };
  close(): Promise<void>;
}

export interface PoolsOptions {
  readonly guard: Guard;
  readonly lookup: Lookup;
  /** Origins with open connections at the same time; the longest unused one is closed first. */
  readonly most: number;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly headerBytes: number;
}

interface Entry {
  readonly key: string;
  readonly open: () => ConnectionPool;
  pool: ConnectionPool | undefined;
  used: number;
}

const keepMs = 15_000;

export function createPools(options: PoolsOptions): Pools {
  const opened = new Set<Entry>();
  const known = new Map<string, Entry>();
  let uses = 0;
  let closed = false;

  function live(entry: Entry): ConnectionPool {
    entry.used = ++uses;
    if (entry.pool !== undefined) return entry.pool;
    if (closed) throw new AppError('unavailable', 'The server is stopping and calls nobody any more.');
    if (opened.size >= options.most) retire();
    entry.pool = entry.open();
    opened.add(entry);
    known.set(entry.key, entry);
    return entry.pool;
  }

  function retire(): void {
    let oldest: Entry | undefined;
    for (const entry of opened) if (oldest === undefined || entry.used < oldest.used) oldest = entry;
    if (oldest === undefined) return;
    // Ends once its requests have ended.
    oldest.pool?.close().catch(() => undefined);
    oldest.pool = undefined;
    opened.delete(oldest);
    known.delete(oldest.key);
  }

  return {
    of(origin, given) {
      const key = JSON.stringify([origin, given.trusted === true, given.socketPath, given.scope, given.connections]);
      const entry = known.get(key) ?? { key, open: () => openPool(origin, given, options), pool: undefined, used: 0 };
      return {
        dispatch: (request, handler) => live(entry).dispatch(request, handler),
        live: () => live(entry),
      };
    },
    async close() {
      closed = true;
      await Promise.all([...opened].map((entry) => entry.pool?.destroy()));
      opened.clear();
      known.clear();
    },
  };
}

function openPool(origin: string, given: PoolOptions, options: PoolsOptions): ConnectionPool {
  const trusted = given.trusted === true;
  if (given.socketPath !== undefined && !trusted) throw denied('Unix sockets are not called.');
  const url = trusted ? new URL(origin) : options.guard.checkUrl(origin);
  const port = portOf(url);
  const connect = buildConnector({
    allowH2: false,
    timeout: given.connectTimeoutMs ?? options.connectTimeoutMs,
    ...(given.socketPath === undefined ? {} : { socketPath: given.socketPath }),
    ...(trusted ? {} : { lookup: guardedLookup(options, port) }),
  });
  const clientOptions: Client.Options = {
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: keepMs,
    maxHeaderSize: options.headerBytes,
    connect(target, callback) {
      try {
        // Node asks no lookup for an address that is written out.
        if (!trusted && parseAddress(target.hostname) !== null) {
          options.guard.checkAddress(target.hostname, port, target.hostname);
        }
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      connect(target, callback);
    },
  };
  return new ConnectionPool(() => new Client(url.origin, clientOptions), given.connections ?? options.connections);
}

/** Judges every address of a name at the moment of the connection: what it resolved to before proves nothing. */
function guardedLookup({ guard, lookup }: PoolsOptions, port: number): LookupFunction {
  return (host, wanted, callback) => {
    lookup(host).then(
      (found) => {
        try {
          if (found.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
          for (const { address } of found) guard.checkAddress(host, port, address);
        } catch (error) {
          callback(error as Error, '');
          return;
        }
        const [first] = found;
        if (wanted.all === true) callback(null, [...found]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error) => callback(error, ''),
    );
  };
}
