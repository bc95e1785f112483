import pg from 'pg';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { isRunning } from './process-state.ts';

/**
 * The supervisor's own connection. Its session holds an advisory lock, which says whose server this is and ends with the
 * process that holds it, however that ends; and its end is the first sign that the server went away.
 */
export interface GuardConnection {
  readonly lost: Promise<void>;
  close(): Promise<void>;
}

// Any constant does: no one else takes advisory locks in the database `postgres`.
const lockKey = 7440;
const nameOf = (pid: number) => `damask supervisor ${pid}`;
// Milliseconds. The backend of a supervisor that was just killed needs a moment to see it.
const patience = 3_000;
const livePatience = 200;

/** Connects; rejects with the driver's error while the server is not ready, with `in_use` when another Damask has it. */
export async function openGuardConnection(connection: pg.ClientConfig, clock: Clock): Promise<GuardConnection> {
  const client = new pg.Client({
    ...connection,
    application_name: nameOf(process.pid),
    connectionTimeoutMillis: 10_000,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  const close = () => client.end().catch(() => {});
  try {
    await client.connect();
    await takeLock(client, clock);
  } catch (error) {
    await close();
    throw error;
  }
  return { lost, close };
}

async function takeLock(client: pg.Client, clock: Clock): Promise<void> {
  const begun = clock.monotonic();
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lockKey]);
    if (rows[0]?.taken) return;
    const holder = await findHolder(client);
    const waited = clock.monotonic() - begun;
    if (waited > patience || (waited > livePatience && holder !== undefined && isRunning(holder))) {
      throw new AppError(
        'in_use',
        `Another Damask (process ${holder ?? 'unknown'}) already uses this database. Use that one, stop it, or set DAMASK_DATA_DIR to another folder.`,
      );
    }
    await clock.sleep(50);
  }
}

async function findHolder(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.objid = $1 and l.granted`,
    [lockKey],
  );
  const pid = Number(rows[0]?.name.split(' ').at(-1));
  return pid > 0 ? pid : undefined;
}
