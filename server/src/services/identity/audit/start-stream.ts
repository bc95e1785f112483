import type { Clock, Timer } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { advanceStream, holdStream } from '#platform/outward-stream.ts';
import { asPlatform } from './audit-parts.ts';

/** What is sent somewhere else, in the order of positions. */
export interface StreamSource<Item> {
  readonly name: string;
  /** Where a new stream begins. */
  newest(transaction: Transaction): Promise<number>;
  read(transaction: Transaction, after: number): Promise<{ readonly items: readonly Item[]; readonly last: number }>;
  /** Resolves when the other side has taken them. They may come again: the receiver tells by their hashes. */
  send(items: readonly Item[], last: number): Promise<void>;
}

const lookEvery = 2_000;
const holdMs = 60_000;
const longestWait = 300_000;

/**
 * Sends at least once and in order, by one process at a time. What the other side does not take is sent again, with longer
 * and longer pauses; nothing is passed over.
 */
export function startStream<Item>(
  parts: { readonly database: Database; readonly clock: Clock; readonly log: Log; readonly process: string },
  source: StreamSource<Item>,
): { stop(): Promise<void> } {
  const { database, clock, log, process: holder } = parts;
  const { name } = source;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let failures = 0;

  /** True when there may be more. */
  const pass = async (): Promise<boolean> => {
    const page = await asPlatform({ database }, async (transaction) => {
      const stream = { name, holder, now: clock.now(), holdMs };
      const position = await holdStream(transaction, stream, () => source.newest(transaction));
      return position === undefined ? undefined : source.read(transaction, position);
    });
    if (!page || page.items.length === 0) return false;
    await source.send(page.items, page.last);
    return asPlatform({ database }, (transaction) => advanceStream(transaction, { name, holder, position: page.last }));
  };
  const next = () => {
    running = pass().then(
      (more) => {
        if (failures > 0) log.info('The audit log is taken again', { stream: name });
        failures = 0;
        if (!stopped) timer = clock.after(more ? 0 : lookEvery, next);
      },
      (error: unknown) => {
        if (failures === 0) log.error('The audit log could not be sent; it is tried again', { stream: name, error });
        failures += 1;
        if (!stopped) timer = clock.after(Math.min(longestWait, 1_000 * 2 ** Math.min(failures, 12)), next);
      },
    );
  };
  timer = clock.after(lookEvery, next);
  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
