import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Clock, Timer } from './clock.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';

export interface DeadProcess {
  readonly id: string;
  readonly startedAt: Date;
}

export interface ProcessRegistry {
  /** Id of this process's life; work in flight is marked with it. */
  readonly id: string;
  /** Processes that died with work open and that nobody has cleaned up after. */
  findDead(): Promise<DeadProcess[]>;
  markRecovered(id: string): Promise<void>;
  /** Which of these processes have ended or died, or are not known; never this one. */
  findGone(ids: readonly string[]): Promise<string[]>;
  /** True when a process has ended, or has been silent for so long that it counts as dead. */
  isGone(id: string): Promise<boolean>;
  /** True when a process has ended, or the runs that it left were ended by others, or it is not known. */
  isOver(id: string): Promise<boolean>;
  /** How many processes live, this one and those of other hosts included. */
  countLiving(): Promise<number>;
  /** True when others may have taken this process for dead at some time since then, by the clock's `monotonic`. */
  lapsedSince(monotonic: number): boolean;
  stop(): Promise<void>;
}

const heartbeatEvery = 5_000;
const deadAfterSeconds = 15;
/** Milliseconds between two heartbeats after which this process is not sure that others still count on it. */
const lapsedAfter = 10_000;

/** Registers this process and keeps its heartbeat, by the database's clock. */
export async function registerProcess(options: {
  database: Database;
  clock: Clock;
  log: Log;
  pid: number;
}): Promise<ProcessRegistry> {
  const { database, clock, log, pid } = options;
  const id = clock.uuid();
  const host = hostIdentity();
  let timer: Timer | undefined;
  let stopped = false;
  const asPlatform = <Row>(text: string, values: unknown[]) =>
    database.transaction({ role: 'platform', workspace: null }, (transaction) => transaction.query<Row>(text, values));

  await asPlatform('insert into platform.process (id, host, pid) values ($1, $2, $3)', [id, host, pid]);

  let lastBeat = clock.monotonic();
  let lapsedAt = Number.NEGATIVE_INFINITY;
  const beat = async () => {
    const asked = clock.monotonic();
    // Whoever took this process for dead in the meantime must do so again when it dies.
    await asPlatform('update platform.process set heartbeat_at = now(), recovered_at = null where id = $1', [id]).then(
      () => {
        if (asked - lastBeat > lapsedAfter) lapsedAt = asked;
        lastBeat = asked;
      },
      (error: unknown) => log.warn('The heartbeat of this process could not be written', { error }),
    );
    if (!stopped) timer = clock.after(heartbeatEvery, () => void beat());
  };
  timer = clock.after(heartbeatEvery, () => void beat());

  return {
    id,
    async findDead() {
      const rows = await asPlatform<DeadProcess & { host: string; pid: number; silent: boolean }>(
        `select id, host, pid, started_at as "startedAt",
                heartbeat_at < now() - make_interval(secs => ${deadAfterSeconds}) as silent
           from platform.process where ended_at is null and recovered_at is null and id <> $1
          order by started_at limit 1000`,
        [id],
      );
      // On the same host the process table is quicker than a lease.
      return rows.filter((row) => row.silent || (row.host === host && !isAlive(row.pid, pid)));
    },
    async findGone(ids) {
      const others = ids.filter((other) => other !== id);
      if (others.length === 0) return [];
      const rows = await asPlatform<{ id: string; host: string; pid: number }>(
        `select id, host, pid from platform.process where id = any($1) and ended_at is null
            and heartbeat_at >= now() - make_interval(secs => ${deadAfterSeconds})`,
        [others],
      );
      const living = rows.filter((row) => row.host !== host || isAlive(row.pid, pid)).map((row) => row.id);
      return others.filter((other) => !living.includes(other));
    },
    async markRecovered(dead) {
      await asPlatform('update platform.process set recovered_at = now() where id = $1', [dead]);
    },
    async isGone(other) {
      if (other === id) return false;
      const living = await asPlatform(
        `select from platform.process where id = $1 and ended_at is null and recovered_at is null
            and heartbeat_at >= now() - make_interval(secs => ${deadAfterSeconds})`,
        [other],
      );
      return living.length === 0;
    },
    async isOver(other) {
      const open = await asPlatform(
        'select from platform.process where id = $1 and ended_at is null and recovered_at is null',
        [other],
      );
      return open.length === 0;
    },
    async countLiving() {
      const rows = await asPlatform<{ count: number }>(
        `select count(*)::int as count from platform.process where ended_at is null
            and heartbeat_at >= now() - make_interval(secs => ${deadAfterSeconds})`,
        [],
      );
      return rows[0]?.count ?? 1;
    },
    lapsedSince: (since) => lapsedAt >= since || clock.monotonic() - lastBeat > lapsedAfter,
    async stop() {
      stopped = true;
      timer?.cancel();
      await asPlatform('update platform.process set ended_at = now() where id = $1', [id]);
    },
  };
}

function isAlive(pid: number, own: number): boolean {
  // A restart in a container or namespace often gets the pid that the dead process had.
  if (pid === own) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// A pid says nothing about another boot, or about another container of the same host.
function hostIdentity(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
