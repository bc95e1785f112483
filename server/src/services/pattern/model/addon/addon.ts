import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '#platform/app-error.ts';
import { type Child, startChild } from '#platform/child-process.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { type Forward, openForward } from '#platform/egress/forward.ts';
import type { Log } from '#platform/log.ts';
import { makeFolder } from '#platform/make-folder.ts';
import { reasonOf } from '../local/model-source.ts';
import { type Environment, programEnvironment } from '../local/tool-environment.ts';
import { addonFolder, addonProgram, installAddon } from './install-addon.ts';
import { noAddon } from './no-addon.ts';

export interface AddonOptions {
  readonly cacheDir: string;
  /** A short path of our own; the sockets are made there. */
  readonly socketDirectory: string;
  readonly nodePath: string;
  readonly environment: Environment;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: another folder of packages, which is there. */
  readonly packages?: string;
}

/** The process that speaks to the vendors of the long tail, with packages of its own. Does nothing before `ready`. */
export interface Addon {
  /** Where it speaks the OpenAI-compatible chat protocol while it runs. */
  readonly socketPath: string;
  isRunning(): boolean;
  /** Of the process, for tests and logs; null while there is none. */
  pid(): number | null;
  /**
   * Starts it, or starts it again. Where its packages are missing, begins to install them and rejects with `no_model`; so it
   * does when it cannot be started.
   */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

const readyWithinMs = 30_000;
const stopWithinMs = 2_000;
const retryInstallSeconds = 10;

export function createAddon(options: AddonOptions): Addon {
  const { clock, log, egress } = options;
  const socketPath = join(options.socketDirectory, 'addon.sock');
  const forwardPath = join(options.socketDirectory, 'out.sock');
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Child | undefined;
  let starting: Promise<void> | undefined;
  let forward: Forward | undefined;
  let installing: Promise<void> | undefined;
  let failure: string | null = null;

  function install(): AppError {
    const former = failure;
    if (!installing) {
      log.info('Installing the add-on for further providers');
      failure = null;
      installing = installAddon({ ...options, signal })
        .then(() => log.info('The add-on for further providers is installed'))
        .catch((error: unknown) => {
          failure = reasonOf(error);
          if (!signal.aborted) log.warn('The add-on could not be installed', { reason: failure });
        })
        .finally(() => {
          installing = undefined;
        });
    }
    // Nobody need wait for an attempt after one that failed just now.
    return former === null ? noAddon('It is being installed.', retryInstallSeconds) : new AppError('no_model', former);
  }

  async function start(packages: string): Promise<void> {
    await makeFolder(options.socketDirectory);
    forward ??= await openForward(egress, forwardPath);
    signal.throwIfAborted();
    const place = ['--packages', packages, '--socket', socketPath, '--forward', forwardPath];
    const child = await startChild({
      command: options.nodePath,
      args: [
        '--disallow-code-generation-from-strings',
        '--disable-proto=delete',
        join(addonProgram, 'serve.ts'),
        ...place,
      ],
      // Its end of the channel closes when we die, however we die.
      ipc: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: programEnvironment(options.environment),
    });
    (child.stderr as Readable)
      .setEncoding('utf8')
      .on('data', (text: string) => log.debug('The add-on said', { text: text.slice(0, 500) }));
    const late = clock.after(readyWithinMs, () => void child.kill('SIGKILL'));
    const onStop = () => void child.stop(stopWithinMs);
    signal.addEventListener('abort', onStop, { once: true });
    void child.exited.then(() => signal.removeEventListener('abort', onStop));
    try {
      await new Promise<void>((resolve, reject) => {
        child.onMessage(() => resolve());
        void child.exited.then(({ code }) => reject(noAddon(`Its process ended with code ${code}.`)));
      });
    } finally {
      late.cancel();
    }
    running = child;
    log.info('The add-on for further providers runs', { pid: child.pid });
    void child.exited.then(({ code, signal: by }) => {
      running = undefined;
      if (!signal.aborted) log.warn('The add-on ended; the next call starts it again', { code, by });
    });
  }

  return {
    socketPath,
    isRunning: () => running !== undefined,
    pid: () => running?.pid ?? null,
    async ready() {
      if (signal.aborted) throw new AppError('unavailable', 'The platform is stopping.');
      if (running) return;
      const packages = options.packages ?? addonFolder(options.cacheDir);
      if (!existsSync(packages)) throw install();
      starting ??= start(packages)
        .catch((error: unknown) => {
          throw error instanceof AppError ? error : noAddon(reasonOf(error));
        })
        .finally(() => {
          starting = undefined;
        });
      await starting;
    },
    async stop() {
      stopping.abort(new AppError('unavailable', 'The platform is stopping.'));
      await Promise.all([starting, installing].map((work) => work?.catch(() => undefined)));
      await running?.stop(stopWithinMs);
      await forward?.close();
    },
  };
}
