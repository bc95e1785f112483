import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { makeHome, startDamask } from './damask-server.ts';
import { connectAsOwner, placeOfDatabase } from './embedded-database.ts';
import { median, table } from './figures.ts';
import { showBounds } from './section.ts';

const rows = 20_000;
const rounds = 3;
const least = 5_000;
const workspaces = 20;

/** How fast the sequencer of a real server seals what services wrote, with its checkpoints, on the disk. */
export async function measureAudit(say: (text: string) => void): Promise<string> {
  const home = makeHome();
  const server = await startDamask(home);
  const owner = await connectAsOwner(placeOfDatabase(home));
  try {
    await fill(owner, 1_000);
    const rates: number[] = [];
    const before = server.cpu();
    for (let round = 0; round < rounds; round += 1) {
      say(`${rows} rows, round ${round + 1}`);
      rates.push(rows / (await fill(owner, rows)));
    }
    const after = server.cpu();
    const cpu = (part: 'companion' | 'postgres') => (after[part] - before[part]) / (rounds * rows);
    const bound = {
      what: 'entries of the audit log sealed in a second',
      bound: `at least ${least.toLocaleString('en-US')}`,
      measured: Math.round(median(rates)).toLocaleString('en-US'),
      met: median(rates) >= least,
    };
    return `Rows are written past the platform, ${rows.toLocaleString('en-US')} at once for ${workspaces} workspaces, as services write them; the time is that until the last one is
in the chain, hashed and committed with fsync, and checkpoints of it are signed and on the disk as they fall due.

${showBounds([bound])}

${table(
  ['round', 'entries a second'],
  rates.map((rate, index) => [String(index + 1), rate]),
)}

${table(
  ['µs of CPU for an entry', 'sequencer', 'PostgreSQL, which writes the row of the service too'],
  [['', cpu('companion'), cpu('postgres')]],
)}`;
  } finally {
    await owner.end();
    await server.stop();
    home.remove();
  }
}

/** Seconds until rows that were written are sealed. */
async function fill(owner: pg.Client, count: number): Promise<number> {
  const sealed = async () =>
    Number((await owner.query('select coalesce(sum(seq), 0) as seq from identity.audit_head')).rows[0].seq);
  const before = await sealed();
  await owner.query(
    `insert into identity.audit (workspace, id, actor_kind, actor_id, auth, action, subject, address, after, details, request_id)
     select ('00000000-0000-7000-8000-' || lpad((n % $2)::text, 12, '0'))::uuid, gen_random_uuid(), 'key', gen_random_uuid()::text, 'api_key',
            'createKey', 'key/' || gen_random_uuid(), '192.0.2.7', 'sha256:' || repeat('0', 64),
            jsonb_build_object('name', 'a key', 'role', 'viewer', 'expires_at', null), gen_random_uuid()::text
       from generate_series(1, $1) as n`,
    [count, workspaces],
  );
  const began = performance.now();
  while ((await sealed()) < before + count) await wait(20);
  return (performance.now() - began) / 1000;
}
