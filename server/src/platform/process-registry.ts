import { readFileSync } from 'node:fs';
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
  stop(): Promise<void>;
}

const heartbeatEvery = 5_000;
const deadAfterSeconds = 15;

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

  const beat = async () => {
    await asPlatform('update platform.process set heartbeat_at = now() where id = $1', [id]).catch((error: unknown) =>
      log.warn('The heartbeat of this process could not be written', { error }),
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
    async markRecovered(dead) {
      await asPlatform('update platform.process set recovered_at = now() where id = $1', [dead]);
    },
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

function hostIdentity(): string {
  try {
    return `${hostname()} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return hostname();
  }
}
