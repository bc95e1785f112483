// A program: the server as `npm start` runs it, with one fault planted on purpose.
import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createAnnounce } from '../../server/src/announce.ts';
import { readConfig } from '../../server/src/config.ts';
import { serve } from '../../server/src/serve.ts';
import { createServerLog } from '../../server/src/server-log.ts';
import type { TaskQueue } from '../../server/src/services/pattern/queue/task-queue.ts';
import type { TaskRuns } from '../../server/src/services/pattern/queue/task-runs.ts';
import type { Journal } from '../../server/src/services/pattern/run/journal.ts';

type Planted = NonNullable<Parameters<typeof serve>[0]['planted']>;

/** Answers before the commit: what is told to be done may be lost. */
function impatient(journal: Journal): Journal {
  const atOnce = { committed: Promise.resolve(), replace: () => false };
  return {
    ...journal,
    get waiting() {
      return journal.waiting;
    },
    accept(row) {
      journal.accept(row).committed.catch(() => undefined);
      return atOnce;
    },
    finish(row, payload) {
      // Late enough that a kill finds some: a group commit alone takes a millisecond.
      setTimeout(() => journal.finish(row, payload).committed.catch(() => undefined), 100);
      return atOnce;
    },
  };
}

/** The same for what is queued. */
function impatientQueue(queue: TaskQueue): TaskQueue {
  return {
    ...queue,
    get running() {
      return queue.running;
    },
    async accept(enqueued) {
      setTimeout(() => queue.accept(enqueued).catch(() => undefined), 200);
    },
  };
}

/** Whoever has a run in hand by now, its end is written, and what was lost is not let go. */
function unfenced(runs: TaskRuns): TaskRuns {
  const url = process.env.DAMASK_DATABASE_URL;
  if (url === undefined) return runs;
  const database = new pg.Pool({ connectionString: url, max: 1 });
  database.on('error', () => undefined);
  return {
    ...runs,
    open: async (task) => ({ ...(await runs.open(task)), close: () => undefined }),
    async toRecord(claim, end) {
      const record = await runs.toRecord(claim, end);
      const { rows } = await database.query('select token from pattern.task where id = $1', [claim.id]);
      if (rows[0]) (claim as { token: bigint }).token = BigInt(rows[0].token);
      return record;
    },
  };
}

/** Where it dies, or stands still, when a file of that name lies in its home. Once for each file. */
export type Failpoint = 'after-claim' | 'after-provider' | 'after-checkpoint' | 'after-accept' | 'block';

function reach(point: Failpoint) {
  const file = join(process.env.HOME ?? '', point);
  if (!existsSync(file)) return;
  unlinkSync(file);
  if (point !== 'block') process.kill(process.pid, 'SIGKILL');
  // Nothing of this process goes on meanwhile, as when something holds the event loop.
  for (const until = Date.now() + 5_000; Date.now() < until; );
}

const failpoints: Planted = {
  worker: (runs) => ({
    ...runs,
    async open(task) {
      const opened = await runs.open(task);
      reach('after-claim');
      reach('block');
      return opened;
    },
    toRecord(claim, end) {
      // A chain's calls are with its steps, which were kept one after the other until here.
      if (end.status === 'succeeded') reach(end.attempts.length > 0 ? 'after-provider' : 'after-checkpoint');
      return runs.toRecord(claim, end);
    },
  }),
  queue: (queue) => ({
    ...queue,
    get running() {
      return queue.running;
    },
    async accept(enqueued) {
      await queue.accept(enqueued);
      reach('after-accept');
    },
    // Called after the commit of what was queued with a key.
    wake() {
      queue.wake();
      reach('after-accept');
    },
  }),
};

const faults: Record<string, Planted> = {
  failpoints,
  none: {},
  'answers before the commit': { journal: impatient, queue: impatientQueue },
  'nobody looks whose run it is': { worker: unfenced },
  'the database does not wait for its disk': {
    settings: {
      synchronous_commit: 'off',
      wal_writer_delay: '10s',
      wal_writer_flush_after: '1GB',
      wal_buffers: '64MB',
    },
  },
  'nobody ends the runs of a dead process': { recovery: false },
  'keys mean nothing': { keys: false },
};

const planted = faults[process.argv[2] ?? 'none'];
if (!planted) throw new Error(`There is no such fault: ${process.argv[2]}`);
const config = readConfig();
const announce = createAnnounce({ json: true, write: (text) => process.stdout.write(text), terminal: false });
const abort = new AbortController();
const serving = await serve({
  config,
  ...createServerLog(config, 'edge'),
  announce,
  services: null,
  signal: abort.signal,
  planted,
}).catch((error: Error) => {
  process.stderr.write(`It did not start: ${error.message}\n`);
  process.exit(1);
});
process.on('SIGTERM', () => void serving?.stop(2_000).then(() => process.exit(0)));
