import { show, table } from './figures.ts';
import type { Section } from './section.ts';
import type { Peers } from './start-peers.ts';

const steps = 10;

/** Memory of the process that serves while it executes many runs, half of them streams. */
export async function measureMemory(peers: Peers, runs: number, say: (text: string) => void): Promise<Section> {
  await peers.upstream(0, 0);
  const { damask } = peers;
  const rows: (string | number)[][] = [];
  let done = 0;
  const load = async () => {
    for (const kind of ['json', 'stream'] as const) {
      const { answered, errors } = await peers.load(damask, kind, { seconds: 5, connections: 64 });
      if (errors > 0) throw new Error(`${errors} of ${answered} runs failed`);
      done += answered;
    }
  };
  // What the first runs bring with them (compiled code, pools, caches) is no growth.
  await load();
  for (let step = 0; step <= steps; step++) {
    while (done < (runs / steps) * step) await load();
    rows.push([done.toLocaleString('en-US'), damask.residentMb()]);
    say(`${done} runs, ${show(damask.residentMb())} MB`);
  }
  // The semi-spaces take their size during the first tenth.
  const [, from = 0] = rows[1] as [string, number];
  const [, to = 0] = rows.at(-1) as [string, number];
  const growth = (100 * (to - from)) / from;
  return {
    text: table(['runs so far', 'MB resident'], rows),
    bounds: [
      {
        what: `growth of memory from the first tenth to the end of ${runs.toLocaleString('en-US')} runs`,
        bound: '< 10%',
        measured: `${growth.toFixed(1)}%`,
        met: runs >= 1_000_000 ? growth < 10 : null,
      },
    ],
  };
}
