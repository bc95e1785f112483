import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  type RabbitmqServer,
  startRabbitmq,
  withoutRabbitmq,
} from '../../server/src/platform/testing/rabbitmq-server.ts';
import { type DatabaseProxy, startDatabaseProxy } from './database-proxy.ts';
import type { Failpoint } from './planted-server.ts';
import { firstLine, killHard, postgresOf, processes } from './server-processes.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const flags = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-warning=ExperimentalWarning',
];

/** One process of the platform with its companion, as the harness starts, kills and pauses it. */
export class Member {
  readonly name: string;
  readonly home: string;
  url = '';
  readonly #environment: Readonly<Record<string, string>>;
  readonly #planted: string;
  #child: ChildProcess | undefined;
  #killed = false;

  constructor(home: string, environment: Readonly<Record<string, string>>, planted: string) {
    this.name = basename(home);
    this.home = home;
    this.#planted = planted;
    this.#environment = environment;
    mkdirSync(home, { recursive: true });
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  get runs(): boolean {
    return (
      this.#child !== undefined && !this.#killed && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** After the end of what ran before. */
  async start(): Promise<{ readonly instance: string }> {
    await this.ended();
    const child = spawn(process.execPath, [...flags, program('./planted-server.ts'), this.#planted], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        HOME: this.home,
        ...this.#environment,
      },
    });
    this.#child = child;
    this.#killed = false;
    const ready = JSON.parse(await firstLine(child)) as {
      event: string;
      url: string;
      instance: string;
      message: string;
    };
    if (ready.event !== 'ready') throw new Error(`${this.name} did not start: ${ready.message ?? ready.event}`);
    this.url = ready.url;
    return ready;
  }

  /** SIGKILL to it and its companion. */
  kill() {
    if (!this.#child) return;
    this.#killed = true;
    killHard(this.home, this.#child, false);
  }

  /** Resolves with how it ended. */
  async ended(): Promise<string> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null)
      return String(child?.signalCode ?? child?.exitCode);
    return new Promise((resolve) => child.once('exit', (code, signal) => resolve(String(signal ?? code))));
  }

  signal(name: NodeJS.Signals) {
    process.kill(this.pid, name);
  }

  /** It will die, or stand still, when it comes there. */
  arm(point: Failpoint) {
    writeFileSync(join(this.home, point), '');
  }
}

/** Several processes on one embedded database, the model server with its ledger, and what lies between them. */
export interface Cluster {
  readonly key: string;
  readonly members: readonly Member[];
  readonly ledger: string;
  /** Between the last member and the database. */
  readonly proxy: DatabaseProxy;
  /** Undefined where there is none on this machine. */
  readonly rabbit: RabbitmqServer | undefined;
  /** Of the database. Undefined where it is not small. */
  readonly disk: SmallDisk | undefined;
  /** A connection to the database past all policies. */
  connect(): Promise<pg.Client>;
  postmaster(): number;
  backends(): number[];
  /** SIGKILL to the database, which the first process then brings back. */
  killDatabase(): void;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Whether RabbitMQ carries messages, where it is installed, and whether the database has a small disk, for root. */
  readonly rabbit?: boolean;
  readonly disk?: boolean;
  /** What is wrong with the server: a name of planted-server.ts. */
  readonly planted?: string;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'damask-faults-'));
  const ledger = join(folder, 'ledger');
  const provider = spawn(process.execPath, [program('./fake-provider.ts'), ledger, '40'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const members: Member[] = [];
  let proxy: DatabaseProxy | undefined;
  let rabbit: RabbitmqServer | undefined;
  let disk: SmallDisk | undefined;
  const stop = async () => {
    for (const member of members) member.kill();
    proxy?.close();
    for (const pid of postgresOf(folder)) tryKill(pid);
    await rabbit?.stop();
    disk?.remove();
    provider.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const common = {
      DAMASK_PORT: '0',
      DAMASK_METRICS_PORT: '0',
      DAMASK_LOCAL_MODEL: 'false',
      DAMASK_LOG_LEVEL: 'error',
      DAMASK_IDLE_MS: '3000',
      OPENAI_BASE_URL: `http://127.0.0.1:${await firstLine(provider)}/v1`,
    };
    if (options.rabbit && !withoutRabbitmq) rabbit = await startRabbitmq();
    const carried = rabbit ? { ...common, DAMASK_RABBITMQ_URL: rabbit.url } : common;
    if (options.disk) disk = mountSmallDisk(join(folder, 'data'));
    const planted = options.planted ?? 'failpoints';
    const first = new Member(join(folder, 'first'), { ...carried, DAMASK_DATA_DIR: join(folder, 'data') }, planted);
    members.push(first);
    const { instance } = await first.start();
    const config = join(first.home, '.config', 'damask');
    const { instances } = JSON.parse(readFileSync(join(config, 'credentials.json'), 'utf8'));
    const place = () => {
      const lines = readFileSync(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Number(lines[0]), port: Number(lines[3]), host: lines[4] as string };
    };
    const { host, port } = place();
    const between = join(folder, 'between');
    mkdirSync(between, { mode: 0o700 });
    proxy = await startDatabaseProxy(join(between, `.s.PGSQL.${port}`), join(host, `.s.PGSQL.${port}`));
    for (const [name, socket] of [
      ['second', host],
      ['third', between],
    ] as const) {
      const database = {
        DAMASK_DATABASE_URL: `postgresql://damask@localhost:${port}/damask?host=${encodeURIComponent(socket)}`,
        DAMASK_KEY_FILE: join(config, 'master.key'),
      };
      const member = new Member(join(folder, name), { ...carried, ...database }, planted);
      members.push(member);
      await member.start();
    }
    return {
      ...{ members, ledger, proxy, rabbit, disk, stop },
      key: instances[instance].api_key,
      async connect() {
        const { pid: _, ...where } = place();
        const client = new pg.Client({ ...where, user: 'damask', database: 'damask' });
        client.on('error', () => undefined);
        await client.connect();
        return client;
      },
      postmaster: () => place().pid,
      killDatabase() {
        for (const pid of postgresOf(folder)) tryKill(pid);
      },
      backends: () => processes().flatMap(({ pid, parent }) => (parent === place().pid ? [pid] : [])),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tryKill(pid: number) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}
