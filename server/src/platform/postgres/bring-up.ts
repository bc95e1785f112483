import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../app-error.ts';
import { startChild } from '../child-process.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { type Account, childEnvironment } from './account.ts';
import { explainOutput } from './failure.ts';
import { type GuardConnection, openGuardConnection } from './guard-connection.ts';
import { findPostmaster, isPostmaster, readPostmaster, shutDown } from './postmaster.ts';
import { openServerLog } from './server-log.ts';

/** One cluster and how its server is started. All paths are real ones: they are compared with those of running processes. */
export interface Site {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly user: string;
  readonly account: Account;
  readonly postgres: string;
  readonly arguments: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface Running {
  readonly pid: number;
  readonly adopted: boolean;
  readonly socketDirectory: string;
  readonly guard: GuardConnection;
}

interface Connected {
  readonly socketDirectory: string;
  readonly guard: GuardConnection;
}

// Backends that outlived a killed postmaster, or a second start at the same moment: both are over long before.
const conflictPatience = 60_000;
const noticeEvery = 10_000;

export const connectionTo = (host: string, user: string, database: string) =>
  ({ host, port: 5432, user, database, ssl: false }) as const;

/**
 * Takes over the server that runs on the data directory, or starts one, and answers when it takes connections.
 * Waits as long as a recovery takes; rejects with `unavailable` and the way out when there will be no server.
 */
export async function bringUp(site: Site, signal?: AbortSignal): Promise<Running> {
  const until = site.clock.monotonic() + conflictPatience;
  for (;;) {
    signal?.throwIfAborted();
    const found = await findPostmaster(site.dataDirectory);
    const running = found ? await takeOver(site, found.pid, signal) : await launch(site, until, signal);
    if (running) return running;
    await site.clock.sleep(100);
  }
}

async function takeOver(site: Site, pid: number, signal: AbortSignal | undefined): Promise<Running | undefined> {
  const { dataDirectory, clock, log } = site;
  const connected = await connectWhenReady(site, pid, () => isPostmaster(pid, dataDirectory), signal);
  if (!connected) return undefined;
  const opts = await readFile(join(dataDirectory, 'postmaster.opts'), 'utf8');
  if (opts.trimEnd().endsWith(site.arguments.map((word) => `"${word}"`).join(' '))) {
    log.info('A PostgreSQL that had outlived its Damask was taken over', { pid });
    return { pid, adopted: true, ...connected };
  }
  log.info('A PostgreSQL with other settings had outlived its Damask; it is restarted', { pid });
  await shutDown(pid, dataDirectory, clock, log);
  await connected.guard.close();
  return undefined;
}

async function launch(site: Site, until: number, signal: AbortSignal | undefined): Promise<Running | undefined> {
  const { account, clock, dataDirectory, log, logFile } = site;
  const serverLog = await openServerLog(logFile);
  try {
    const [command, ...args] = [...account.wrapper, site.postgres, ...site.arguments];
    const child = await startChild({
      command: command as string,
      args,
      env: childEnvironment,
      cwd: dataDirectory,
      stdio: ['ignore', serverLog.fd, serverLog.fd],
      ...account.ids,
    });
    let gone = false;
    void child.exited.then((exit) => {
      gone = true;
      log.debug('PostgreSQL ended', { pid: child.pid, ...exit });
    });
    const connected = await connectWhenReady(site, child.pid, async () => !gone, signal).catch(async (error) => {
      // An AppError says that another Damask took our server over in the meantime: it is theirs now.
      if (!(error instanceof AppError)) await shutDown(child.pid, dataDirectory, clock, log);
      throw error;
    });
    if (connected) return { pid: child.pid, adopted: false, ...connected };
    const failure = explainOutput(await serverLog.tail(), dataDirectory, logFile);
    if (failure.retry && clock.monotonic() < until) return undefined;
    throw failure.error;
  } finally {
    await serverLog.close();
  }
}

/** Answers undefined when the server ended before it was ready. */
async function connectWhenReady(
  site: Site,
  pid: number,
  alive: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<Connected | undefined> {
  const { clock, dataDirectory, log, user } = site;
  const begun = clock.monotonic();
  let notice = begun + noticeEvery;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await readPostmaster(dataDirectory);
    if (seen?.pid === pid && seen.ready) {
      const { socketDirectory } = seen;
      const guard = await openGuardConnection(connectionTo(socketDirectory, user, 'postgres'), clock).catch(passing);
      if (guard) return { socketDirectory, guard };
    }
    if (!(await alive())) return undefined;
    const now = clock.monotonic();
    if (now > notice) {
      log.warn('PostgreSQL is not ready yet; it probably recovers from a crash', {
        seconds: Math.round((now - begun) / 1000),
      });
      notice = now + noticeEvery;
    }
    await clock.sleep(now - begun < 1_000 ? 10 : 100);
  }
}

// Classes 57 (starting, stopping, recovering) and 53 (no free connection) pass by; so does a socket that is not there yet.
function passing(error: unknown): undefined {
  const code = String((error as { code?: unknown }).code ?? '');
  const fromServer = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (error instanceof AppError || (fromServer && !/^5[37]/.test(code))) throw error;
}
