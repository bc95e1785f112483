import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { startRabbitmq, withoutRabbitmq } from '../../server/src/platform/testing/rabbitmq-server.ts';
import { startRedis, withoutRedis } from '../../server/src/platform/testing/redis-server.ts';
import { type Home, makeHome, type ServerProcess, startServer } from '../e2e/server-process.ts';
import { chance } from './canary.ts';
import { modelScript } from './model-script.ts';
import { startTap, type Tap } from './tap.ts';

/** What an operator sets, each with a canary in it. */
export type Given = Readonly<Record<string, string>>;

/** An installation of real processes whose settings are full of canaries. */
export interface Planted {
  readonly home: Home;
  readonly url: string;
  readonly environment: Given;
  /** The secrets of the settings by name: what chance made of each. */
  readonly secrets: Readonly<Record<string, Buffer | string>>;
  readonly processes: Record<string, ServerProcess>;
  readonly metricsPorts: readonly number[];
  readonly model: ModelServer;
  readonly taps: Readonly<Record<string, Tap>>;
  /** As superuser. */
  readonly connection: pg.ClientConfig;
  /** What the receivers of the audit log got. */
  received(): string;
  readonly left: readonly string[];
  restart(name: string): Promise<void>;
  stop(): Promise<void>;
}

async function listening(server: {
  listen(port: number, host: string, then: () => void): unknown;
  address(): unknown;
}) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => createServer()));
  const ports = await Promise.all(servers.map((server) => listening(server)));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Takes what the audit log sends, by HTTP and as syslog; refuses the first deliveries. */
async function startReceivers() {
  const got: string[] = [];
  let refused = 0;
  const webhook = createHttpServer((request: IncomingMessage, response) => {
    request.on('data', (piece: Buffer) => got.push(piece.toString('latin1')));
    request.on('end', () => response.writeHead(refused++ < 3 ? 503 : 204).end());
  });
  const sockets = new Set<Socket>();
  const syslog = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (piece: Buffer) => got.push(piece.toString('latin1'))).on('error', () => undefined);
  });
  const ports = { webhook: await listening(webhook), syslog: await listening(syslog) };
  return {
    ports,
    text: () => got.join(''),
    close() {
      webhook.close();
      webhook.closeAllConnections();
      syslog.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What both kinds of installation are given, and what they stand on. */
async function prepare(home: Home, onStop: OnStop) {
  const model = await startModelServer(modelScript);
  onStop(() => model.close());
  const receivers = await startReceivers();
  onStop(receivers.close);
  const webhookBytes = Buffer.from(chance(32));
  const secrets = {
    'service secret': chance(40),
    'operator provider key': chance(40),
    'store secret key': chance(40),
    'store session token': chance(60),
    'vault token': chance(40),
    'vault secret id': chance(40),
    'webhook secret': webhookBytes,
    'webhook address': chance(30),
    'webhook user': chance(30),
  };
  const address = `http://hook:${secrets['webhook user']}@127.0.0.1:${receivers.ports.webhook}`;
  const environment: Record<string, string> = {
    DAMASK_LOG_LEVEL: 'debug',
    DAMASK_PUBLIC_URL: 'http://127.0.0.1:7440',
    DAMASK_EGRESS_ALLOW: '127.0.0.1',
    DAMASK_IDLE_MS: '3000',
    DAMASK_SHED_LAG_MS: '0',
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: `sk-${secrets['operator provider key']}`,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: secrets['store secret key'],
    AWS_SESSION_TOKEN: secrets['store session token'],
    DAMASK_VAULT_TOKEN: secrets['vault token'],
    DAMASK_VAULT_SECRET_ID: secrets['vault secret id'],
    DAMASK_AUDIT_WEBHOOK_SECRET: `whsec_${webhookBytes.toString('base64')}`,
    DAMASK_AUDIT_WEBHOOK: `${address}/entries?token=${secrets['webhook address']}`,
    DAMASK_AUDIT_CHECKPOINT_WEBHOOK: `${address}/checkpoints?token=${secrets['webhook address']}`,
    DAMASK_AUDIT_SYSLOG: `tcp://127.0.0.1:${receivers.ports.syslog}`,
  };
  await mkdir(home.configDir, { recursive: true, mode: 0o700 });
  return { model, receivers, secrets, environment };
}

const addressOf = async (process: ServerProcess) => `http://${(await process.event('serving')).address}`;

/** The edge, identity, runs without a worker and a worker, each alone; with what large installations have beside them. */
export const startApart = (): Promise<Planted> => start(openApart);

type OnStop = (close: () => unknown) => void;

async function start(open: (onStop: OnStop) => Promise<Omit<Planted, 'stop'>>): Promise<Planted> {
  const closing: (() => unknown)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    return { ...(await open((close) => closing.push(close))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openApart(onStop: OnStop): Promise<Omit<Planted, 'stop'>> {
  const home = await makeHome();
  onStop(() => home.remove());
  const { model, receivers, secrets, environment } = await prepare(home, onStop);
  const database = await testDatabase();
  onStop(() => database.drop());
  const left: string[] = [];
  const own: Record<string, Buffer | string> = {
    ...secrets,
    'database password': chance(30),
    'key-encryption key': randomBytes(32),
  };
  const socket = join(home.path, 'tapped');
  await mkdir(socket, { mode: 0o700 });
  const { host, port, database: name } = database.connection;
  const taps: Record<string, Tap> = {
    database: await startTap(join(host, `.s.PGSQL.${port}`), join(socket, `.s.PGSQL.${port}`)),
  };
  environment.DAMASK_DATABASE_URL = `postgres://damask:${own['database password']}@${encodeURIComponent(socket)}:${port}/${name}`;
  environment.DAMASK_KEY_SOURCE = 'environment';
  environment.DAMASK_KEY = (own['key-encryption key'] as Buffer).toString('base64');
  environment.DAMASK_SERVICE_SECRET = String(own['service secret']);
  onStop(() => Object.values(taps).map((tap) => tap.close()));
  if (withoutRedis) left.push(withoutRedis);
  else {
    const redis = await startRedis();
    onStop(redis.stop);
    taps.redis = await startTap(Number(new URL(redis.url).port));
    own['redis password'] = chance(30);
    environment.DAMASK_REDIS_URL = `redis://default:${own['redis password']}@127.0.0.1:${taps.redis.at}/0`;
    environment.DAMASK_KEY_PER_MINUTE = '1000000';
  }
  if (withoutRabbitmq) left.push(withoutRabbitmq);
  else {
    const rabbit = await startRabbitmq();
    onStop(rabbit.stop);
    own['broker password'] = chance(30);
    await rabbit.control('add_user', 'damask', String(own['broker password']));
    await rabbit.control('set_permissions', 'damask', '.*', '.*', '.*');
    taps.rabbitmq = await startTap(Number(new URL(rabbit.url).port));
    environment.DAMASK_RABBITMQ_URL = `amqp://damask:${own['broker password']}@127.0.0.1:${taps.rabbitmq.at}/`;
  }
  const metricsPorts = await freePorts(4);
  const processes: Record<string, ServerProcess> = {};
  const links: Record<string, string> = {};
  const begin = (part: string, services: string, metrics: number, more: Given = {}) => {
    const process = startServer(home, {
      args: ['serve', '--services', services],
      environment: { ...environment, DAMASK_METRICS_PORT: String(metricsPorts[metrics]), ...more },
    });
    processes[part] = process;
    onStop(process.stop);
    return process;
  };
  const listen = { DAMASK_SERVICE_LISTEN: '127.0.0.1:0' };
  const beginWorker = async () => void (await begin('worker', 'pattern', 2).event('serving'));
  links.DAMASK_IDENTITY_URL = await addressOf(begin('identity', 'identity', 0, listen));
  links.DAMASK_PATTERN_URL = await addressOf(begin('pattern', 'pattern', 1, { ...listen, DAMASK_WORKER_SLOTS: '0' }));
  await beginWorker();
  const { url = '' } = await begin('gateway', 'gateway', 3, links).event('ready');
  return {
    ...{ home, url, environment, processes, metricsPorts, model, taps, left, secrets: own },
    connection: database.connection,
    received: receivers.text,
    restart: beginWorker,
  };
}

/** As `npm start` does it: two processes, the embedded database, a key file. */
export const startEmbedded = (): Promise<Planted> => start(openEmbedded);

async function openEmbedded(onStop: OnStop): Promise<Omit<Planted, 'stop'>> {
  const home = await makeHome();
  onStop(() => home.remove());
  const { model, receivers, secrets, environment } = await prepare(home, onStop);
  const { 'service secret': _, ...own } = secrets;
  const [port, ...metricsPorts] = (await freePorts(2)).map(String);
  const begin = () => {
    const process = startServer(home, {
      environment: { ...environment, DAMASK_METRICS_PORT: String(metricsPorts[0]), DAMASK_PORT: String(port) },
    });
    onStop(process.stop);
    return process;
  };
  const processes: Record<string, ServerProcess> = { edge: begin() };
  const { url = '' } = await (processes.edge as ServerProcess).event('ready');
  const signingFile = join(home.configDir, 'audit-signing.key');
  // Made with the first entry that is sealed.
  for (let look = 0; look < 200 && !existsSync(signingFile); look++) await sleep(50);
  const [, , , ofDatabase, host] = readFileSync(join(home.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  const keyFile = readFileSync(join(home.configDir, 'master.key'), 'utf8').trim().split('\n').at(-1);
  const signing = /"private_key": *"([^"]+)"/.exec(readFileSync(signingFile, 'utf8'))?.[1];
  return {
    ...{ home, url, environment, processes, metricsPorts: metricsPorts.map(Number), model, taps: {}, left: [] },
    // The last bytes of a key in PKCS 8 are the key.
    secrets: {
      ...own,
      'key file': Buffer.from(String(keyFile), 'base64'),
      'signing key': Buffer.from(String(signing), 'base64').subarray(-32),
    },
    connection: { host, port: Number(ofDatabase), user: 'damask', database: 'damask', ssl: false } as pg.ClientConfig,
    received: receivers.text,
    async restart(name) {
      processes[name] = begin();
      await (processes[name] as ServerProcess).event('ready');
    },
  };
}

export function askDatabase(planted: Pick<Planted, 'connection'>) {
  const pool = new pg.Pool({ ...planted.connection, max: 2 });
  pool.on('error', () => undefined);
  return {
    sql: async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
      (await pool.query<Row>(text, values)).rows,
    close: () => pool.end(),
  };
}
