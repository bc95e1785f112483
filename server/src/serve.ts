import { join } from 'node:path';
import type { Announce } from './announce.ts';
import { startCompanion } from './companion.ts';
import { compose, type OwnService, ownServices } from './compose.ts';
import type { Config } from './config.ts';
import { findModels } from './find-models.ts';
import { firstStart } from './first-start.ts';
import { listen } from './gateway/listen.ts';
import { openGateway } from './gateway/open-gateway.ts';
import { createStartingHandler } from './gateway/starting.ts';
import { readTlsFiles, tlsFilesOf, watchTlsFiles } from './gateway/tls-files.ts';
import { removeInstanceNote, tellRunning, waitForHolder, waitForOther, writeInstanceNote } from './instance-file.ts';
import { openPlatformDatabase } from './open-database.ts';
import { openFloor } from './open-floor.ts';
import { ownOrigins } from './own-origins.ts';
import { AppError } from './platform/app-error.ts';
import { systemClock } from './platform/clock.ts';
import type { Database } from './platform/database/database.ts';
import { createEgress } from './platform/egress/egress.ts';
import type { Log } from './platform/log.ts';
import { makeFolder } from './platform/make-folder.ts';
import { type Metrics, serveMetrics } from './platform/metrics.ts';
import { explainFileError } from './platform/postgres/failure.ts';
import type { Settings } from './platform/postgres/settings.ts';
import { fittingSocketDirectory, prepareSocketDirectory } from './platform/postgres/socket-directory.ts';
import type { Redact } from './platform/redact.ts';
import { addressOf, listenForServices, readSecret, waitForServices } from './service-links.ts';
import type { PlantedFaults } from './services/pattern/service.ts';
import { version } from './version.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly log: Log;
  readonly redact: Redact;
  readonly announce: Announce;
  /** What runs here; null: the run path and the edge here, everything else in a companion process. */
  readonly services: readonly string[] | null;
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
  /** Faults that a test plants to see that its checks can fail. */
  readonly planted?: PlantedFaults & { readonly settings?: Settings };
}

export interface Serving {
  /** Lets what runs end within `milliseconds`, records it and stops everything that was started. */
  stop(milliseconds: number): Promise<void>;
}

const clock = systemClock;
const metricsHost = '127.0.0.1';
const standardMetricsPort = 7441;

/** Starts the platform. Answers null when it runs on this data already, which has then been told. */
export async function serve(options: ServeOptions): Promise<Serving | null> {
  const closing: ((milliseconds: number) => Promise<void>)[] = [];
  const stop = async (milliseconds: number) => {
    for (const close of closing.splice(0).reverse()) {
      await close(milliseconds).catch((error: unknown) => options.log.error('A part did not stop cleanly', { error }));
    }
  };
  try {
    const started = await start(options, (close) => closing.push(close));
    if (!started) await stop(0);
    return started ? { stop } : null;
  } catch (error) {
    await stop(0);
    throw error;
  }
}

type OnClose = (close: (milliseconds: number) => Promise<void>) => void;

async function start(options: ServeOptions, onClose: OnClose): Promise<boolean> {
  const { config, log, redact, announce, signal } = options;
  const began = clock.monotonic();
  const here = readServices(options.services);
  const embedded = config.storage.database_url === undefined;
  const { data_dir: dataDir } = config.storage;
  const probe = createEgress({ allow: [], clock });
  onClose(() => probe.close());
  if (embedded && (await tellRunning(dataDir, probe, announce))) return false;
  const secret = readSecret(config, options.services !== null);

  const edge = here.includes('gateway');
  const door = { handle: createStartingHandler(clock) };
  const tlsFiles = tlsFilesOf(config.http.tls_certificate, config.http.tls_key);
  const listener = edge
    ? await listen({
        tls: tlsFiles && (await readTlsFiles(tlsFiles)),
        maxOfAddress: config.http.address_connections,
        proxies: config.http.trusted_proxies,
        host: config.http.host,
        port: config.http.port,
        handle: (request, response) => door.handle(request, response),
        clock,
        maxConnections: 10_000,
      }).catch(async (error: unknown) => {
        const { host, port } = config.http;
        const origin = `${tlsFiles ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
        // Two starts at the same moment: the other one has the port, and will say so.
        if (embedded && (await waitForHolder(origin, dataDir, probe, announce))) return null;
        throw error;
      })
    : undefined;
  if (listener === null) return false;
  if (listener) onClose(() => listener.drain(0));
  if (listener && tlsFiles) {
    const watch = watchTlsFiles({ files: tlsFiles, clock, log, use: (pair) => listener.useCertificate(pair) });
    onClose(async () => watch.stop());
  }
  const companion = options.services === null ? await startCompanion({ clock, log }) : undefined;
  // Twice: it must go before its database, and also when there is no database yet.
  const stopCompanion = async (milliseconds: number) => companion?.stop(Math.max(2_000, milliseconds));
  onClose(stopCompanion);
  const database = await openPlatformDatabase({
    config,
    clock,
    log,
    contract: false,
    signal,
    ...(options.planted?.settings ? { settings: options.planted.settings } : {}),
  }).catch(async (error: unknown) => {
    const inUse = error instanceof AppError && error.code === 'in_use';
    if (inUse && (await waitForOther(dataDir, probe, announce))) return null;
    throw error;
  });
  if (!database) return false;
  onClose(() => database.close());
  onClose(stopCompanion);
  if (embedded) onClose(async () => removeInstanceNote(dataDir));
  signal.throwIfAborted();
  const floor = await openFloor({
    config,
    connection: database.connection,
    roles: database.roles,
    mayMakeKey: !database.hasDataKeys,
    secret,
    log,
    redact,
  });
  onClose(() => floor.close());
  const sockets = await openSocketFolder(dataDir);
  const models = findModels({ config, egress: floor.egress, socketDirectory: sockets, clock, log });
  onClose(() => models.stop());
  const runsHere = here.includes('pattern');
  const looked = runsHere ? models.lookAround() : undefined;
  const beginModels = () => {
    // Fetching may take minutes; the platform is ready without it, and says what a run without a model has to wait for.
    if (runsHere) models.begin((progress) => announce.model(progress)).catch(() => undefined);
  };

  const socketPath = join(sockets, 'companion.sock');
  const elsewhere = ownServices.filter((service) => !here.includes(service));
  const companionReady = companion?.begin({
    services: elsewhere,
    connection: database.connection,
    socketPath,
    secret: secret.toString('base64'),
    separateRoles: database.separateRoles,
    database: database.name,
  });
  companionReady?.catch(() => undefined);
  const composition = await compose({
    here: here.filter((service): service is OwnService => service !== 'gateway'),
    addressOf: (service) => addressOf(service, config, companion, socketPath, edge),
    floor,
    config,
    models,
    door: { copy: false, checkOutput: false },
    ...(options.planted ? { planted: options.planted } : {}),
  });
  onClose((milliseconds) => composition.stop(milliseconds));
  await companionReady;
  const metrics = await openMetrics(floor.metrics, config, log);
  onClose(() => metrics.close());
  const links = config.services.listen ? await listenForServices(config, here, composition, floor) : undefined;
  onClose(async (milliseconds) => {
    await Promise.all([links?.drain(milliseconds + 1_000), composition.pattern?.drain(milliseconds)]);
  });
  if (!listener) {
    await looked;
    beginModels();
    announce.serving(here.join(', '), links?.address ?? '');
    return true;
  }
  await waitForServices(composition.elsewhere, { clock, log, signal });

  const state = { draining: false };
  const origins = ownOrigins(config, listener.url);
  const gateway = await openGateway({
    clients: composition.clients,
    database: floor.database,
    metrics: floor.metrics,
    clock,
    log,
    version,
    concurrency: config.http.concurrency,
    longestLag: config.http.shed_lag_ms,
    limits: config.limits,
    sharedBuckets: floor.sharedBuckets,
    countProcesses: floor.registry.countLiving,
    trustedProxies: config.http.trusted_proxies,
    corsOrigins: config.http.cors_origins,
    origins: () => origins,
    checks: [
      { part: 'platform', check: () => (state.draining ? 'it is stopping' : null) },
      { part: 'database', check: () => pingDatabase(floor.database) },
      { part: 'runs', check: () => composition.pattern?.ready() ?? null },
      ...Object.entries(composition.elsewhere).map(([part, check]) => ({ part, check })),
    ],
  });
  onClose(() => gateway.stop());
  const first = await firstStart({
    identity: composition.clients.identity as never,
    clock,
    log,
    configDir: config.storage.config_dir,
    url: listener.url,
    dataDir: embedded ? dataDir : null,
  });
  await Promise.all([composition.pattern?.catchUp(), gateway.refresh()]);
  door.handle = (request, response) => gateway.dispatch.handle(request, response);
  onClose(async (milliseconds) => {
    state.draining = true;
    await Promise.all([listener.drain(milliseconds + 1_000), composition.pattern?.drain(milliseconds)]);
  });
  if (embedded) writeInstanceNote(dataDir, { pid: process.pid, url: listener.url });
  await looked;
  beginModels();
  announce.ready({
    url: listener.url,
    instance: first.instance,
    dataDir: embedded ? dataDir : null,
    ownerKey: first.ownerKey,
    credentials: first.credentials,
    model: composition.pattern?.describeDefaultModel(first.workspace) ?? null,
    milliseconds: clock.monotonic() - began,
  });
  return true;
}

function readServices(given: readonly string[] | null): readonly (OwnService | 'gateway')[] {
  if (given === null) return ['gateway', 'pattern'];
  const known: readonly string[] = ['gateway', ...ownServices];
  const unknown = given.find((service) => !known.includes(service));
  if (unknown === undefined && given.length > 0) return given as (OwnService | 'gateway')[];
  throw new AppError(
    'invalid_request',
    `--services knows ${known.join(', ')}; ${unknown ?? 'nothing'} is not one of them.`,
  );
}

/** The standard port may belong to another installation on this machine: only a port that was asked for must be had. */
async function openMetrics(metrics: Metrics, config: Config, log: Log) {
  const asked = config.http.metrics_port;
  if (asked !== undefined) return serveMetrics(metrics, metricsHost, asked);
  return serveMetrics(metrics, metricsHost, standardMetricsPort).catch((error: unknown) => {
    log.warn('Metrics are not served; set DAMASK_METRICS_PORT to a free port', { error });
    return { close: async () => undefined };
  });
}

async function pingDatabase(database: Database): Promise<string | null> {
  await database.transaction({ role: 'platform', workspace: null }, (transaction) => transaction.query('select 1'));
  return null;
}

async function openSocketFolder(dataDir: string): Promise<string> {
  await makeFolder(dataDir).catch((error: unknown) => {
    throw explainFileError(error, dataDir);
  });
  const folder = fittingSocketDirectory(join(dataDir, 'sockets'), `${dataDir}#sockets`);
  await prepareSocketDirectory(folder, { ids: {}, wrapper: [] });
  return folder;
}
