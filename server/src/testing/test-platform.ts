import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { identityOperations } from '@damask/contracts/identity.ts';
import type { Role } from '@damask/contracts/permissions.ts';
import type pg from 'pg';
import { type Composition, compose, ownServices, serviceTable } from '../compose.ts';
import { type Config, readConfig } from '../config.ts';
import { listen } from '../gateway/listen.ts';
import { type Gateway, type GatewayOptions, openGateway } from '../gateway/open-gateway.ts';
import { type Floor, openFloor } from '../open-floor.ts';
import { ownOrigins } from '../own-origins.ts';
import type { Client } from '../platform/call.ts';
import { systemClock } from '../platform/clock.ts';
import { migrate } from '../platform/database/migrate.ts';
import { prepareDatabase } from '../platform/database/prepare.ts';
import type { Lookup } from '../platform/egress/egress.ts';
import { createLog } from '../platform/log.ts';
import { createRedact } from '../platform/redact.ts';
import { systemContext } from '../platform/system-context.ts';
import { testDatabase } from '../platform/testing/postgres.ts';
import { readEnvironmentProviders } from '../services/pattern/model/environment-providers.ts';
import { sealAudit } from './seal-audit.ts';

export interface TestWorkspace {
  readonly id: string;
  readonly ownerKey: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  readonly body: any;
  readonly text: string;
}

export interface TestPlatform {
  readonly url: string;
  readonly folder: string;
  readonly config: Config;
  readonly floor: Floor;
  readonly gateway: Gateway;
  readonly clients: Composition['clients'];
  /** As superuser, for looking behind the platform's back. */
  readonly connection: pg.ClientConfig;
  /** The first workspace; `key` of `call` is its owner's unless told. */
  readonly alpha: TestWorkspace;
  readonly beta: TestWorkspace;
  /** What the log said, one object a line. */
  readonly logged: Record<string, unknown>[];
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: { key?: string | null; headers?: Record<string, string> },
  ): Promise<Reply>;
  keyFor(role: Role, ownerKey?: string): Promise<string>;
  /** Seals what the audit log waits for, now, and signs what is due. */
  sealAudit(): Promise<void>;
  /** Looks for what was changed past identity, now. */
  lookForHandChanges(): Promise<number>;
  stop(): Promise<void>;
}

export interface TestPlatformOptions {
  /** Of an OpenAI-compatible server, with `/v1`; it becomes the provider `openai`. */
  readonly modelUrl?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly permissionOf?: GatewayOptions['permissionOf'];
  /** Shares its database and its workspaces, as another process would. It must be stopped first. */
  readonly beside?: TestPlatform;
  /** Of names that the platform calls. */
  readonly lookup?: Lookup;
}

/** The whole platform in this process, with a real database and a real listener on loopback, and two workspaces. */
export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const { beside } = options;
  const folder = beside?.folder ?? (await mkdtemp(join(tmpdir(), 'damask-platform-')));
  const { connection, drop } = beside ? { connection: beside.connection, drop: undefined } : await testDatabase();
  const config = readConfig({
    environment: {
      HOME: folder,
      DAMASK_LOCAL_MODEL: 'false',
      // A machine that is busy with other tests must not make this one refuse requests.
      DAMASK_SHED_LAG_MS: '0',
      ...(options.modelUrl ? { OPENAI_BASE_URL: options.modelUrl, OPENAI_API_KEY: 'sk-test-provider-key' } : {}),
      ...options.environment,
    },
  });
  const logged: Record<string, unknown>[] = [];
  const redact = createRedact(['sk-test-provider-key']);
  const log = createLog({
    level: 'debug',
    clock: systemClock,
    redact,
    write: (line) => void logged.push(JSON.parse(line)),
  });
  const { roles } = await prepareDatabase({
    connection,
    services: ownServices,
    loginRole: `${connection.database}_login`,
  });
  const folders = Object.fromEntries(ownServices.map((service) => [service, serviceTable[service].migrations]));
  await migrate({ connection, roles, folders, contract: false, log });
  const login = { ...connection, user: `${connection.database}_login` };
  // Two platforms with one pid take each other for a restart of a dead one: the second goes by the pid of the test runner.
  const pid = beside ? process.ppid : process.pid;
  const secret = Buffer.alloc(32, 7);
  const floor = await openFloor({
    config,
    connection: login,
    roles,
    mayMakeKey: true,
    secret,
    log,
    redact,
    pid,
    ...(options.lookup ? { lookup: options.lookup } : {}),
  });
  const providers = readEnvironmentProviders({
    ...(config.models.openai_api_key ? { openaiApiKey: config.models.openai_api_key } : {}),
    ...(config.models.openai_base_url ? { openaiBaseUrl: config.models.openai_base_url } : {}),
  });
  const composition = await compose({
    here: ownServices,
    addressOf: () => null,
    floor,
    config,
    models: { environmentProviders: () => providers, localModel: null },
    door: { copy: true, checkOutput: true },
  });
  let origins: readonly string[] = [];
  const gateway = await openGateway({
    clients: composition.clients,
    database: floor.database,
    metrics: floor.metrics,
    clock: systemClock,
    log,
    version: '0.0.0-test',
    concurrency: config.http.concurrency,
    longestLag: config.http.shed_lag_ms,
    limits: config.limits,
    sharedBuckets: floor.sharedBuckets,
    countProcesses: floor.registry.countLiving,
    trustedProxies: config.http.trusted_proxies,
    corsOrigins: config.http.cors_origins,
    origins: () => origins,
    checks: [{ part: 'runs', check: () => composition.pattern?.ready() ?? null }],
    ...(options.permissionOf ? { permissionOf: options.permissionOf } : {}),
  });
  const identity = composition.clients.identity as unknown as Client<typeof identityOperations>;
  const makeWorkspace = async (name: string): Promise<TestWorkspace> => {
    const made = await identity.createWorkspace(systemContext(systemClock), { name });
    return { id: made.workspace.id, ownerKey: made.owner_key.key };
  };
  const alpha = beside?.alpha ?? (await makeWorkspace('alpha'));
  const beta = beside?.beta ?? (await makeWorkspace('beta'));
  await composition.pattern?.catchUp();
  await gateway.refresh();
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    handle: (request, response) => gateway.dispatch.handle(request, response),
    clock: systemClock,
    maxConnections: 1_000,
  });

  origins = ownOrigins(config, listener.url);

  const call: TestPlatform['call'] = async (method, path, body, { key = alpha.ownerKey, headers = {} } = {}) => {
    const response = await fetch(`${listener.url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  };

  return {
    url: listener.url,
    folder,
    config,
    floor,
    gateway,
    clients: composition.clients,
    connection,
    alpha,
    beta,
    logged,
    call,
    sealAudit: () => sealAudit(connection, async () => composition.identity?.sealAudit()),
    lookForHandChanges: async () => composition.identity?.lookForHandChanges() ?? 0,
    async keyFor(role, ownerKey = alpha.ownerKey) {
      const { body } = await call('POST', '/v1/keys', { name: `test ${role}`, role }, { key: ownerKey });
      await gateway.refresh();
      return body.key;
    },
    async stop() {
      await listener.drain(1_000);
      await gateway.stop();
      await composition.stop(1_000);
      await floor.close();
      await drop?.();
      if (!beside) await rm(folder, { recursive: true, force: true });
    },
  };
}
