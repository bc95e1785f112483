import type pg from 'pg';
import type { Clock, Timer } from './clock.ts';
import type { Database, Transaction } from './database/database.ts';
import type { Log } from './log.ts';

const channel = 'damask_topic';

/** Says in the caller's transaction that the table behind a topic has changed. Control plane only: NOTIFY halves a hot path's commit rate. */
export async function bumpTopic(transaction: Transaction, topic: string): Promise<void> {
  await transaction.query(
    `insert into platform.topic (name, version) values ($1, 1)
     on conflict (name) do update set version = platform.topic.version + 1`,
    [topic],
  );
  await transaction.query('select pg_notify($1, $2)', [channel, topic]);
}

export interface TopicFollower {
  readonly topic: string;
  /** Loads the table anew. Called once at start and after each change. */
  load(): Promise<void>;
}

export interface TopicWatch {
  /** Milliseconds (of the clock's `now`) at which the topic was last known to be current. */
  currentAt(topic: string): number;
  /** Looks now instead of at the next poll. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

const pollEvery = 500;

/** Follows version rows by NOTIFY and, because a notification can be lost, by a poll of one row per topic. */
export async function watchTopics(options: {
  database: Database;
  followers: readonly TopicFollower[];
  clock: Clock;
  log: Log;
}): Promise<TopicWatch> {
  const { database, followers, clock, log } = options;
  const known = new Map<string, string>();
  const current = new Map<string, number>();
  let stopped = false;
  let timer: Timer | undefined;
  let listener: pg.Client | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  const readVersions = () =>
    database.transaction({ role: 'platform', workspace: null }, (transaction) =>
      transaction.query<{ name: string; version: string }>(
        'select name, version::text from platform.topic where name = any($1)',
        [followers.map((follower) => follower.topic)],
      ),
    );

  const pass = async () => {
    const asked = clock.now();
    const versions = new Map((await readVersions()).map((row) => [row.name, row.version]));
    const failures: unknown[] = [];
    for (const { topic, load } of followers) {
      const version = versions.get(topic) ?? '0';
      try {
        if (known.get(topic) !== version) {
          // The version is read before the table: a change in between makes one load too many, never one too few.
          await load();
          known.set(topic, version);
        }
        current.set(topic, asked);
      } catch (error) {
        // A table that cannot be loaded must not hold up the others.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };

  const refresh = (): Promise<void> => {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        do {
          again = false;
          await pass();
        } while (again && !stopped);
      } finally {
        // At once: who asks in the very next moment must not be given a look that is over.
        running = undefined;
      }
    })();
    return running;
  };

  let failing = false;
  const tolerant = () =>
    refresh().then(
      () => {
        if (failing) log.info('Tables in memory follow again');
        failing = false;
      },
      (error: unknown) => {
        if (!failing) log.warn('Tables in memory could not be refreshed; the last ones stay', { error });
        failing = true;
      },
    );

  const listen = async () => {
    const client = await database.dedicated('platform');
    client.on('notification', () => void tolerant());
    client.on('end', () => {
      if (listener === client) listener = undefined;
    });
    try {
      await client.query(`listen ${channel}`);
      if (stopped) throw new Error('Nobody follows any more');
      listener = client;
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
  };

  const poll = async () => {
    if (stopped) return;
    if (!listener) await listen().catch(() => undefined);
    await tolerant();
    if (!stopped) timer = clock.after(pollEvery, () => void poll());
  };

  await listen();
  await refresh();
  timer = clock.after(pollEvery, () => void poll());

  return {
    currentAt: (topic) => current.get(topic) ?? 0,
    refresh,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running?.catch(() => undefined);
      await listener?.end().catch(() => undefined);
    },
  };
}
