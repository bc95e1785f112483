import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { systemClock } from '../server/src/platform/clock.ts';
import type { FinishedRow } from '../server/src/services/pattern/run/record.ts';
import type { Inserts } from './bare-inserts.ts';
import { connectAsOwner, placeOfDatabase } from './embedded-database.ts';
import { median, table } from './figures.ts';
import { startPgBoss } from './pg-boss.ts';
import { startProgram } from './programs.ts';
import type { Bound, Section } from './section.ts';
import { input, type Peers, system } from './start-peers.ts';

const rounds = 3;
const seconds = 4;
const messages = [
  { role: 'system', content: system },
  { role: 'user', content: input },
];

/** Asynchronous runs from acceptance to end, beside jobs of pg-boss and beside nothing but the same rows. */
export async function measureQueueRate(peers: Peers): Promise<Section> {
  const { home, upstreamPort } = peers;
  await peers.upstream(0, 0);
  const place = placeOfDatabase(home);
  const owner = await connectAsOwner(place);
  await owner.query('create database bench_boss');
  const boss = await startPgBoss(place, upstreamPort);
  const [bare] = await startProgram('bare-inserts', [place.host, String(place.port)]);
  try {
    await queuedRuns(peers, owner, 2);
    const row = await readEnd(owner);
    const rates = { damask: [] as number[], accepted: [] as number[], boss: [] as number[], bare: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const runs = await queuedRuns(peers, owner, seconds);
      rates.damask.push(runs.runs / runs.seconds);
      rates.accepted.push(runs.runs / runs.sending);
      if (typeof boss !== 'string') {
        const jobs = await boss.perform(seconds, messages);
        rates.boss.push(jobs.runs / jobs.seconds);
      }
      const inserts = await bare.ask<{ runs: number; seconds: number }>({ ...row, seconds } satisfies Inserts);
      rates.bare.push(inserts.runs / inserts.seconds);
      await wait(500);
    }
    const [damask, jobs, rows] = [median(rates.damask), median(rates.boss), median(rates.bare)];
    const bounds: Bound[] = [
      atLeast('asynchronous runs a second, accepted to done', 1_500, damask, ''),
      atLeast('asynchronous runs beside the bare insert of the same rows', 0.4, damask / rows, ' x'),
    ];
    if (rates.boss.length > 0) bounds.push(atLeast('asynchronous runs beside jobs of pg-boss', 3, damask / jobs, ' x'));
    const left = typeof boss === 'string' ? `\n\nLeft out: pg-boss: ${boss}.` : '';
    return {
      text: `### Asynchronous runs, model answers at once\n\n${table(
        ['runs a second', 'Damask, one process', 'pg-boss 12.38.0', 'bare insert'],
        [
          ['accepted to done', damask, jobs, rows],
          ['accepted, while the rest goes on', median(rates.accepted), '', ''],
        ],
      )}\n\nA job of pg-boss knows no caller, seals no text and keeps no record but its answer.${left}`,
      bounds,
    };
  } finally {
    await bare.stop();
    if (typeof boss !== 'string') boss.stop();
    await owner.end();
  }
}

/** Sends runs for so many seconds and waits until the last of them has ended. */
async function queuedRuns(peers: Peers, owner: pg.Client, sending: number) {
  const { damask } = peers;
  const request = () => ({
    ...damask.request('json'),
    body: JSON.stringify({ pattern: 'bench', input, mode: 'async' }),
    mark: '"id":',
  });
  const begun = performance.now();
  const { answered, errors } = await peers.load({ ...damask, request }, 'json', { seconds: sending, connections: 64 });
  if (errors > 0) throw new Error(`${errors} of ${answered} asynchronous runs were not accepted`);
  while (await isWaiting(owner)) await wait(10);
  return { runs: answered, sending, seconds: (performance.now() - begun) / 1000 };
}

async function isWaiting(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ exists: boolean }>('select exists (select from pattern.task)');
  return rows[0]?.exists === true;
}

/** A run as it was kept, for others to keep it as well. */
async function readEnd(owner: pg.Client): Promise<Omit<Inserts, 'seconds'>> {
  const { rows } = await owner.query<FinishedRow & { payload: Buffer; xact: unknown }>(
    `select * from pattern.finished where status = 'succeeded' order by id desc limit 1`,
  );
  const [found] = rows;
  if (!found) throw new Error('no asynchronous run has ended well');
  const { payload, xact: _, ...row } = found;
  const now = new Date(systemClock.now()).toISOString();
  return { row: { ...row, accepted_at: now, finished_at: now }, payload };
}

function atLeast(what: string, bound: number, value: number, unit: string): Bound {
  const shown = unit === '' ? Math.round(value).toLocaleString('en-US') : `${value.toFixed(2)}${unit}`;
  return { what, bound: `>= ${bound.toLocaleString('en-US')}${unit}`, measured: shown, met: value >= bound };
}
