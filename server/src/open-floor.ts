import { join } from 'node:path';
import type pg from 'pg';
import { type Config, egressLists } from './config.ts';
import type { Carrier } from './platform/carrier/carrier.ts';
import { createEmbeddedCarrier } from './platform/carrier/embedded-carrier.ts';
import { createRabbitmqCarrier } from './platform/carrier/rabbitmq-carrier.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { KeyEncryptionKey } from './platform/crypto/key-file.ts';
import { type Cursors, createCursors } from './platform/cursor.ts';
import { type Database, openDatabase } from './platform/database/database.ts';
import type { Roles } from './platform/database/roles.ts';
import { createEgress, type Egress, type Lookup } from './platform/egress/egress.ts';
import type { Log } from './platform/log.ts';
import { createMetrics, type Metrics } from './platform/metrics.ts';
import { type ProcessRegistry, registerProcess } from './platform/process-registry.ts';
import type { Redact } from './platform/redact.ts';
import { createSharedBuckets, type SharedBuckets } from './platform/redis/shared-buckets.ts';
import { createServiceTokens, type ServiceTokens } from './platform/service-token.ts';
import { createVault, type Vault } from './platform/vault.ts';

/** What every service stands on. */
export interface Floor {
  readonly database: Database;
  readonly registry: ProcessRegistry;
  readonly carrier: Carrier;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly cursors: Cursors;
  readonly tokens: ServiceTokens;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly redact: Redact;
  readonly starters: string;
  /** Where there is a Redis. */
  readonly sharedBuckets: SharedBuckets | undefined;
  close(): Promise<void>;
}

/** The house's own patterns, beside the server's folder. */
export const startersFolder = join(import.meta.dirname, '..', '..', 'patterns');

export interface FloorOptions {
  readonly config: Config;
  readonly connection: pg.ClientConfig;
  readonly roles: Roles;
  /** The key-encryption key. */
  readonly kek: KeyEncryptionKey;
  /** Signs calls between processes. */
  readonly secret: Buffer;
  readonly log: Log;
  readonly redact: Redact;
  /** The process that others look for to see whether this one lives; its own unless a test says. */
  readonly pid?: number;
  /** How names of others are resolved; as the system does unless a test says. */
  readonly lookup?: Lookup;
}

export async function openFloor({
  config,
  connection,
  roles,
  kek,
  secret,
  log,
  redact,
  pid = process.pid,
  lookup,
}: FloorOptions): Promise<Floor> {
  const clock = systemClock;
  const database = openDatabase({
    connection,
    roles,
    log,
    poolSize: config.storage.pool_size,
    statementTimeout: config.storage.statement_timeout_ms,
  });
  const { rabbitmq_url: url } = config.queue;
  const name = String(connection.database ?? 'damask').replace(/[^\w.-]/g, '_');
  const carrier: Carrier = url
    ? createRabbitmqCarrier({ url, name, clock, log })
    : createEmbeddedCarrier({ database, clock, log });
  database.announceTo(carrier.announce);
  const registry = await registerProcess({ database, clock, log, pid });
  const { redis_url: redisUrl } = config.limits;
  const sharedBuckets = redisUrl ? createSharedBuckets({ url: redisUrl, name, clock, log }) : undefined;
  const metrics = createMetrics();
  const refused = metrics.counter('damask_egress_denied_total', 'Calls out that were refused, by kind', ['surface']);
  const egress = createEgress({
    ...egressLists(config),
    clock,
    ...(lookup ? { lookup } : {}),
    onDenied: (surface) => refused.of(surface).add(),
  });
  return {
    database,
    registry,
    carrier,
    egress,
    clock,
    log,
    redact,
    vault: createVault({ database, kek, process: registry.id, clock }),
    cursors: createCursors(kek.key.export()),
    tokens: createServiceTokens({ secret, clock }),
    metrics,
    starters: startersFolder,
    sharedBuckets,
    async close() {
      await registry
        .stop()
        .catch((error: unknown) => log.warn('The end of this process could not be noted', { error }));
      sharedBuckets?.close();
      await carrier.close();
      await egress.close();
      await database.end();
    },
  };
}
