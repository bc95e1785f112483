import pg from 'pg';
import { systemClock } from '../server/src/platform/clock.ts';
import { createJournal } from '../server/src/services/pattern/run/journal.ts';
import type { FinishedRow } from '../server/src/services/pattern/run/record.ts';

// What keeping runs costs at least: the two rows of each, inserted by group commit and by nobody asked for. Started with the
// folder of the database's socket and its port.

/** A message to this program: a run as it is kept. */
export interface Inserts {
  readonly row: FinishedRow;
  readonly payload: Buffer;
  readonly seconds: number;
}

const [host = '', port = ''] = process.argv.slice(2);
const writers = 256;
const journal = createJournal({
  async connect() {
    const client = new pg.Client({ host, port: Number(port), user: 'damask', database: 'damask' });
    await client.connect();
    return client;
  },
  clock: systemClock,
  log: { debug() {}, info() {}, warn: console.error, error: console.error } as never,
});

async function perform({ row, payload, seconds }: Inserts) {
  const begun = performance.now();
  let runs = 0;
  const write = async () => {
    while (performance.now() - begun < seconds * 1000) {
      const one = { ...row, id: systemClock.uuid() };
      await journal.accept(one).committed;
      await journal.finish(one, payload).committed;
      runs += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return { runs, seconds: (performance.now() - begun) / 1000 };
}

process.on('message', (given: Inserts) => void perform(given).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit());
process.send?.({});
