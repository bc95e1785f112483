import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import type { OwnService } from './compose.ts';
import { type Child, startChild } from './platform/child-process.ts';
import type { Clock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';

/** What the companion process needs to begin, sent over its private channel so that secrets stay out of its environment. */
export interface CompanionOrders {
  readonly services: readonly OwnService[];
  readonly connection: pg.ClientConfig;
  readonly socketPath: string;
  readonly secret: string;
  readonly separateRoles: boolean;
  readonly database: string;
}

export interface Companion {
  /** Hands out the orders; resolves when its services take calls. */
  begin(orders: CompanionOrders): Promise<void>;
  readonly running: boolean;
  stop(milliseconds: number): Promise<void>;
}

const backoff = [0, 200, 1_000, 3_000, 10_000];
const steadyAfter = 60_000;

/** Starts the second process of `npm start` and keeps it running. It is started early, so that it loads while the database does. */
export async function startCompanion({ clock, log }: { clock: Clock; log: Log }): Promise<Companion> {
  let child = await launch();
  let orders: CompanionOrders | undefined;
  let running = false;
  let stopping = false;
  let failures = 0;

  async function handOver(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      child.onMessage((message) => {
        const { event, detail } = message as { event?: string; detail?: string };
        if (event === 'serving') resolve();
        if (event === 'failed') reject(new Error(detail));
      });
      void child.exited.then(({ code, signal }) => reject(new Error(`it ended with ${signal ?? code}`)));
    });
    child.send(orders);
    await ready;
    running = true;
    watch(child);
  }

  function watch(current: Child) {
    const since = clock.monotonic();
    void current.exited.then(async ({ code, signal }) => {
      running = false;
      if (stopping) return;
      failures = clock.monotonic() - since > steadyAfter ? 0 : failures + 1;
      log.error('The companion process died; it is started again', { code, signal });
      for (;;) {
        await clock.sleep(backoff[Math.min(failures, backoff.length - 1)] as number);
        if (stopping) return;
        try {
          child = await launch();
          await handOver();
          return;
        } catch (error) {
          failures += 1;
          log.error('The companion process could not be started; it is tried again', { error });
          await child.stop(1_000);
        }
      }
    });
  }

  return {
    async begin(given) {
      orders = given;
      await handOver();
    },
    get running() {
      return running;
    },
    async stop(milliseconds) {
      stopping = true;
      await child.stop(milliseconds);
    },
  };
}

function launch(): Promise<Child> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  return startChild({
    command: process.execPath,
    args: [...process.execArgv, main, 'companion'],
    stdio: ['ignore', 'ignore', 'inherit'],
    ipc: true,
  });
}
