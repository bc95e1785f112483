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
    for (const { topic, load } of followers) {
      const version = versions.get(topic) ?? '0';
      if (known.get(topic) !== version) {
        // The version is read before the table: a change in between makes one load too many, never one too few.
        await load();
        known.set(topic, version);
      }
      current.set(topic, asked);
    }
  };

  const refresh = (): Promise<void> => {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await pass();
      } while (again && !stopped);
    })().finally(() => {
      running = undefined;
    });
    return running;
  };

  const tolerant = () =>
    refresh().catch((error: unknown) =>
      log.warn('Tables in memory could not be refreshed; the last ones stay', { error }),
    );

  const listen = async () => {
    const client = await database.dedicated('platform');
    client.on('notification', () => void tolerant());
    client.on('end', () => {
      listener = undefined;
    });
    await client.query(`listen ${channel}`);
    listener = client;
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
