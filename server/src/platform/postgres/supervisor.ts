import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { chooseAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { bringUp, connectionTo, type Running, type Site } from './bring-up.ts';
import { ensureDataDirectory } from './data-directory.ts';
import { shutDown } from './postmaster.ts';
import { type Settings, serverArguments } from './settings.ts';
import { fittingSocketDirectory, prepareSocketDirectory } from './socket-directory.ts';

export interface PostgresOptions {
  /** Holds the cluster; made when missing. Beside it: `postgres.log` and the folder of the socket. */
  readonly dataDirectory: string;
  /** Default `run` beside the data; a short folder under the system's temporary one where that path would be too long. */
  readonly socketDirectory?: string;
  /** Name of the superuser, given when the cluster is made. */
  readonly user: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Overrides of the server's settings: for tests. */
  readonly settings?: Settings;
  /** The server went away unexpectedly and is being brought back. */
  readonly onDown?: () => void;
  readonly onUp?: () => void;
  /** Ends a start that is under way, also one that waits for a recovery. */
  readonly signal?: AbortSignal;
}

/** Options for `pg`. */
export interface PostgresConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly ssl: false;
}

export interface Postgres {
  /** Of the server that runs now; another one after a restart. */
  readonly pid: number;
  /** True when a server was found that had outlived its Damask. */
  readonly adopted: boolean;
  /** True when the cluster was made by this start. */
  readonly created: boolean;
  readonly user: string;
  readonly socketDirectory: string;
  readonly port: number;
  connection(database: string): PostgresConnection;
  /** Shuts the server down cleanly, within 50 s at the worst. A second call waits for the first. */
  stop(): Promise<void>;
  /** Resolves when `stop` is done. */
  readonly exited: Promise<void>;
}

// A server that dies again at once is not started again at once.
const backoff = [0, 100, 300, 1_000, 3_000, 5_000, 10_000];
const steadyAfter = 60_000;

/**
 * Runs the embedded PostgreSQL on a data directory and keeps it running until `stop`. A server that outlived a killed
 * Damask is taken over. It outlives us, too, if we are killed: only `stop` ends it.
 * Rejects with `unavailable` and the way out: disk full, wrong owner or mode, other version, no binaries, in use.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { clock, log, settings = {}, user } = options;
  const { site, created } = await prepareSite(options, settings);
  let running = await bringUp(site, options.signal);
  const { adopted } = running;
  const ending = new AbortController();
  let stopped: Promise<void> | undefined;
  let resolveExited = () => {};
  const exited = new Promise<void>((resolve) => {
    resolveExited = resolve;
  });

  const watch = async () => {
    let failures = 0;
    for (let since = clock.monotonic(); ; since = clock.monotonic()) {
      await running.guard.lost;
      if (ending.signal.aborted) return;
      if (clock.monotonic() - since > steadyAfter) failures = 0;
      log.error('PostgreSQL went away; it is being brought back', { pid: running.pid, log: site.logFile });
      options.onDown?.();
      const back = await bringBack(site, failures, ending.signal);
      if (!back) return;
      running = back;
      failures += 1;
      log.info('PostgreSQL is back', { pid: running.pid });
      options.onUp?.();
    }
  };
  const watching = watch();

  const stop = async () => {
    ending.abort(new Error('PostgreSQL is being stopped'));
    await shutDown(running.pid, site.dataDirectory, clock, log);
    await running.guard.close();
    await watching;
    resolveExited();
  };

  return {
    get pid() {
      return running.pid;
    },
    adopted,
    created,
    user,
    get socketDirectory() {
      return running.socketDirectory;
    },
    port: 5432,
    connection: (database) => connectionTo(running.socketDirectory, user, database),
    stop() {
      stopped ??= stop();
      return stopped;
    },
    exited,
  };
}

async function prepareSite(options: PostgresOptions, settings: Settings): Promise<{ site: Site; created: boolean }> {
  const { clock, log, signal, user } = options;
  const dataDirectory = await realPath(resolve(options.dataDirectory));
  const logFile = join(dirname(dataDirectory), 'postgres.log');
  const binaries = await findBinaries();
  const account = await chooseAccount(dataDirectory, binaries);
  const durable = settings.fsync !== 'off';
  const cluster = { dataDirectory, logFile, user, binaries, account, durable };
  const created = await ensureDataDirectory(signal ? { ...cluster, signal } : cluster);
  const wanted = options.socketDirectory ? resolve(options.socketDirectory) : join(dirname(dataDirectory), 'run');
  const socketDirectory = fittingSocketDirectory(wanted, dataDirectory);
  await prepareSocketDirectory(socketDirectory, account);
  const { postgres, version } = binaries;
  const args = serverArguments({ dataDirectory, socketDirectory, version, overrides: settings });
  const site = { dataDirectory, logFile, user, account, postgres, arguments: args, clock, log };
  return { site, created };
}

/** Tries until it works; undefined when it is ended. */
async function bringBack(site: Site, failures: number, signal: AbortSignal): Promise<Running | undefined> {
  for (let attempt = failures; ; attempt++) {
    const delay = backoff[Math.min(attempt, backoff.length - 1)] as number;
    try {
      await site.clock.sleep(delay, signal);
      return await bringUp(site, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      site.log.error('PostgreSQL could not be started; it is tried again', { error });
    }
  }
}

// The folder may not exist yet: then its nearest ancestor that does.
async function realPath(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  return realpath(path).catch(async () => join(await realPath(parent), basename(path)));
}
