import type pg from 'pg';
import { goByIndexes } from './task-store.ts';

/** One connection that claims and takes over; what is asked of it is done one after the other. */
export interface Claimer {
  /** Opens the connection anew after a failure. */
  use<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export function createClaimer(connect: () => Promise<pg.Client>): Claimer {
  let client: pg.Client | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  async function open(): Promise<pg.Client> {
    const opened = await connect();
    opened.once('end', () => {
      if (client === opened) client = undefined;
    });
    client = await goByIndexes(opened);
    return opened;
  }

  return {
    use(work) {
      const next = last.then(async () => {
        if (closed) throw new Error('Nothing is claimed any more');
        const current = client ?? (await open());
        try {
          return await work(current);
        } catch (error) {
          // Whatever it was: what the connection still holds is let go with it.
          client = undefined;
          current.end().catch(() => undefined);
          throw error;
        }
      });
      last = next.catch(() => undefined);
      return next;
    },
    async close() {
      await last;
      closed = true;
      await client?.end().catch(() => undefined);
    },
  };
}
