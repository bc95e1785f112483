import type pg from 'pg';
import type { Clock, Timer } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { type Carrier, createAnnouncer } from './carrier.ts';

const channel = 'damask_news';
const reconnectEvery = 1_000;

/**
 * Carries words by NOTIFY, in transactions of their own: inside those of the hot path it would halve their rate. Everybody
 * hears everything, groups or not.
 */
export function createEmbeddedCarrier(options: { database: Database; clock: Clock; log: Log }): Carrier {
  const { database, clock, log } = options;
  const wakes = new Map<string, (() => void)[]>();
  let listener: pg.Client | undefined;
  let listening: Promise<void> | undefined;
  let timer: Timer | undefined;
  let closed = false;
  let failure: string | null = null;

  const noteFault = (error: unknown) => {
    if (failure === null && !closed)
      log.warn('Word of waiting work cannot be passed on; everybody looks by themselves', { error });
    failure = 'the database does not pass on word of waiting work';
  };
  const announcer = createAnnouncer({
    clock,
    onFault: noteFault,
    send: (topic) =>
      database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
        await transaction.query('select pg_notify($1, $2)', [channel, topic]);
      }),
  });

  async function listen() {
    const client = await database.dedicated('platform');
    client.on('notification', ({ payload }) => {
      for (const wake of wakes.get(payload ?? '') ?? []) wake();
    });
    client.on('end', () => {
      if (listener === client) listener = undefined;
      tryLater();
    });
    try {
      await client.query(`listen ${channel}`);
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    if (closed) {
      client.end().catch(() => undefined);
      return;
    }
    listener = client;
    failure = null;
    // What was said while nobody listened.
    for (const list of wakes.values()) for (const wake of list) wake();
  }

  function tryNow() {
    if (closed || listener || listening) return;
    listening = listen()
      .catch(noteFault)
      .finally(() => {
        listening = undefined;
        if (!listener) tryLater();
      });
  }

  function tryLater() {
    if (closed || timer) return;
    timer = clock.after(reconnectEvery, () => {
      timer = undefined;
      tryNow();
    });
  }

  return {
    announce: announcer.announce,
    subscribe(topic, _group, wake) {
      wakes.set(topic, [...(wakes.get(topic) ?? []), wake]);
      tryNow();
    },
    fault: () => failure,
    async close() {
      closed = true;
      timer?.cancel();
      announcer.stop();
      await announcer.settled();
      await listening;
      await listener?.end().catch(() => undefined);
    },
  };
}
