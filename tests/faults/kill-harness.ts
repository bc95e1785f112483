import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Comparison, compareRecords, type Recorded, type Told } from './compare-records.ts';
import { firstLine, killHard, post } from './server-processes.ts';

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const flags = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-warning=ExperimentalWarning',
];
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export interface KillPlan {
  /** Name of a fault of planted-server.ts. */
  readonly fault: string;
  /** How often, and whether the database dies too at each. */
  readonly kills: readonly ('server' | 'server and database')[];
  readonly loadMs: number;
  readonly clients: number;
  /** Each request has a key and is sent again with it until its run has ended, as a careful client does. */
  readonly keyed?: boolean;
  /** Runs are queued: their clients hear of the acceptance alone, and no kill may lose one. */
  readonly queued?: boolean;
  readonly say: (line: string) => void;
}

export interface KillReport extends Comparison {
  /** Runs that ended well in the second before each kill. */
  readonly rates: readonly number[];
}

/** Kills a platform under load again and again, and compares what everybody says afterwards. */
export async function killUnderLoad(plan: KillPlan): Promise<KillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'damask-kill-'));
  const ledgerPath = join(folder, 'ledger');
  const provider = spawn(process.execPath, [program('./fake-provider.ts'), ledgerPath, '40'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const port = await firstLine(provider);
  const place = { folder, fault: plan.fault, providerUrl: `http://127.0.0.1:${port}/v1` };
  let server = await startServer(place);
  let load: ReturnType<typeof startLoad> | undefined;
  try {
    await post(server.url, server.key, '/v1/patterns', { name: 'echo', system: 'Say it again.' });
    load = startLoad(plan.clients, () => server, plan);
    const rates: number[] = [];
    for (const [at, kind] of plan.kills.entries()) {
      await sleep(plan.loadMs);
      rates.push(load.rate());
      killHard(folder, server.process, kind === 'server and database');
      const began = performance.now();
      server = await startServer(place);
      plan.say(
        `kill ${at + 1} (${kind}): ${rates.at(-1)} runs/s before it, back after ${Math.round(performance.now() - began)} ms`,
      );
    }
    await sleep(500);
    await load.stop();
    const records = await settle(folder, plan.fault !== 'nobody ends the runs of a dead process');
    const ledger = (await readFile(ledgerPath, 'utf8')).split('\n').filter((line) => line !== '');
    const calls = ledger.map((line) => line.split('\t', 1)[0] as string);
    return { ...compareRecords(load.told, calls, records), rates };
  } finally {
    await load?.stop();
    server.process.kill('SIGTERM');
    await Promise.race([new Promise((resolve) => server.process.once('exit', resolve)), sleep(10_000)]);
    killHard(folder, server.process, true);
    provider.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly key: string;
}

async function startServer({
  folder,
  fault,
  providerUrl,
}: {
  folder: string;
  fault: string;
  providerUrl: string;
}): Promise<Server> {
  mkdirSync(join(folder, 'home'), { recursive: true });
  const child = spawn(process.execPath, [...flags, program('./planted-server.ts'), fault], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: join(folder, 'home'),
      DAMASK_DATA_DIR: join(folder, 'data'),
      DAMASK_PORT: '0',
      DAMASK_METRICS_PORT: '0',
      DAMASK_LOCAL_MODEL: 'false',
      DAMASK_LOG_LEVEL: 'error',
      OPENAI_BASE_URL: providerUrl,
    },
  });
  const ready = JSON.parse(await firstLine(child)) as {
    event: string;
    url: string;
    instance: string;
    message?: string;
  };
  if (ready.event !== 'ready') throw new Error(`The server did not start: ${ready.message ?? ready.event}`);
  const credentials = JSON.parse(await readFile(join(folder, 'home', '.config', 'damask', 'credentials.json'), 'utf8'));
  return { process: child, url: ready.url, key: credentials.instances[ready.instance].api_key };
}

/** Clients that send one run after the other, each with an input of its own, and note what they are told. */
function startLoad(clients: number, server: () => Server, { keyed, queued }: KillPlan) {
  const told: Told[] = [];
  const ends: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let running = true;
  let next = 0;
  const work = async () => {
    while (running) {
      const input = `input-${next++}`;
      const more = queued ? { mode: 'async' } : {};
      const entry = keyed ? await runUntilEnd(agent, server, input) : await tryRun(agent, server(), input, more);
      told.push(entry);
      if (entry.kind === 'succeeded' || entry.kind === 'accepted') ends.push(performance.now());
      else await sleep(20);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, work));
  return {
    told,
    rate: () => ends.filter((end) => end > performance.now() - 1_000).length,
    async stop() {
      running = false;
      await all;
      agent.destroy();
    },
  };
}

/** Sends the same request with the same key until it hears how its run ended, over all kills. */
async function runUntilEnd(agent: Agent, server: () => Server, input: string): Promise<Told> {
  for (let tries = 0; ; tries++) {
    const told = await tryRun(agent, server(), input, { idempotency_key: input });
    const ended = told.kind === 'succeeded' || (told.kind === 'failed' && told.code !== 'idempotency_in_progress');
    if (ended || tries === 600) return told;
    await sleep(100);
  }
}

async function tryRun(agent: Agent, { url, key }: Server, input: string, more: object = {}): Promise<Told> {
  try {
    const { status, body } = await post(
      url,
      key,
      '/v1/runs',
      { pattern: 'echo', input, model: 'openai/fake', metadata: { input }, ...more },
      agent,
    );
    if (status === 202) return { input, kind: 'accepted', run: body.id as string };
    if (status === 200) return { input, kind: 'succeeded', run: body.id as string, output: body.output as string };
    if (body.run_id) return { input, kind: 'failed', run: body.run_id as string, code: body.code as string };
    return { input, kind: 'refused', status };
  } catch {
    return { input, kind: 'lost connection' };
  }
}

/** Waits until no accepted run is without an end, then reads all records behind the platform's back. */
async function settle(folder: string, ends: boolean): Promise<Recorded[]> {
  const [, , , port, socket] = readFileSync(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8').split(
    '\n',
  ) as string[];
  const client = new pg.Client({ host: socket as string, port: Number(port), user: 'damask', database: 'damask' });
  await client.connect();
  try {
    for (let wait = 0; wait < 60; wait++) {
      const { rows } = await client.query<Recorded>(
        `select coalesce(a.id, f.id) as run, coalesce(a.metadata, f.metadata) ->> 'input' as input, a.id is not null as accepted, f.status
           from pattern.accepted a full join pattern.finished f on f.workspace = a.workspace and f.id = a.id`,
      );
      if (!ends || rows.every((row) => row.status !== null) || wait === 59) return rows;
      await sleep(500);
    }
    return [];
  } finally {
    await client.end();
  }
}
