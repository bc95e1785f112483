// A program: the server as `npm start` runs it, with one fault planted on purpose.
import { createAnnounce } from '../../server/src/announce.ts';
import { readConfig } from '../../server/src/config.ts';
import { serve } from '../../server/src/serve.ts';
import { createServerLog } from '../../server/src/server-log.ts';
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

const faults: Record<string, Planted> = {
  none: {},
  'answers before the commit': { journal: impatient },
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
});
process.on('SIGTERM', () => void serving?.stop(2_000).then(() => process.exit(0)));
