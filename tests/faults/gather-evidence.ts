import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Evidence, LedgerLine, RunRecord } from './check-history.ts';
import type { Cluster, Member } from './cluster.ts';
import type { FaultLoad } from './fault-load.ts';

/** Of runs whose outputs are asked for. */
const mostOutputs = 300;

const columns = `coalesce(a.id, f.id) as run, coalesce(a.metadata, f.metadata) ->> 'input' as input,
  coalesce(a.pattern, f.pattern) as pattern, coalesce(a.version, f.version) as version, f.status, f.attempts`;
const recordsOf = (client: pg.Client) =>
  client.query<RunRecord>(
    `select ${columns} from pattern.accepted a full join pattern.finished f on f.workspace = a.workspace and f.id = a.id`,
  );

/** How runs have ended so far, added to `seen`: no end may change. */
export async function look(cluster: Cluster, seen: Map<string, string>): Promise<void> {
  const client = await cluster.connect();
  try {
    const { rows } = await client.query<{ id: string; status: string }>('select id, status from pattern.finished');
    for (const { id, status } of rows) if (!seen.has(id)) seen.set(id, status);
  } finally {
    await client.end();
  }
}

/** Waits until nothing runs any more, for `within` milliseconds at most, then reads what everybody has. */
export async function gatherEvidence(
  cluster: Cluster,
  load: FaultLoad,
  { seen, within }: { readonly seen: ReadonlyMap<string, string>; readonly within: number },
): Promise<Evidence> {
  const client = await cluster.connect();
  try {
    for (const until = performance.now() + within; performance.now() < until; await sleep(500)) {
      const [left, { rows }] = [await readLeft(client), await recordsOf(client)];
      if (Object.values(left).every((count) => count === 0) && rows.every(({ status }) => status !== null)) break;
    }
    const { rows: records } = await recordsOf(client);
    const { rows: steps } = await client.query<{ key: string; uncertain: number }>(
      `select run || ' ' || path as key,
          (select count(*)::int from jsonb_array_elements(attempts) e where e ->> 'outcome' = 'uncertain') as uncertain
         from pattern.step where path <> ''`,
    );
    const { rows: spent } = await client.query<{ tokens: string }>(
      'select coalesce(sum(spent_tokens), 0)::text as tokens from pattern.budget_period',
    );
    return {
      history: load.history,
      ledger: readLedger(await readFile(cluster.ledger, 'utf8')),
      records,
      uncertainSteps: new Map(steps.map(({ key, uncertain }) => [key, uncertain])),
      seen,
      left: await readLeft(client),
      spentTokens: Number(spent[0]?.tokens),
      outputs: await readOutputs(cluster, records),
    };
  } finally {
    await client.end();
  }
}

async function readLeft(client: pg.Client): Promise<Record<string, number>> {
  const { rows } = await client.query<Record<string, number>>(
    `select (select count(*)::int from pattern.task) as "work that is left",
        (select count(*)::int from pattern.budget_hold) as "reservations that are left",
        (select count(*)::int from pattern.timer_tick t where t.state = 'fired' and not exists
          (select from pattern.finished f where f.id = t.run)) as "ticks without an end",
        (select count(*)::int from pattern.quarantined) as "rows that were set aside"`,
  );
  return rows[0] ?? {};
}

async function readOutputs({ members: [member], key }: Cluster, records: readonly RunRecord[]) {
  const outputs = new Map<string, string>();
  const ended = records.filter(({ status, input }) => status === 'succeeded' && input !== null);
  const every = Math.ceil(ended.length / mostOutputs);
  for (const [at, { run }] of ended.entries()) {
    if (at % every !== 0) continue;
    const response = await fetch(`${(member as Member).url}/v1/runs/${run}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    outputs.set(run, ((await response.json()) as { output: string }).output);
  }
  return outputs;
}

function readLedger(text: string): LedgerLine[] {
  return text.split('\n').flatMap((line) => {
    const [input = '', worked, system = ''] = line.split('\t');
    // What asks whether all is well, and the ticks, are the same each time.
    return line === '' || input === 'is it well' || input === 'a tick'
      ? []
      : [{ input, worked: worked === 'worked', system }];
  });
}
