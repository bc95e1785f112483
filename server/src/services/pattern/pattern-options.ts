import type { Carrier } from '#platform/carrier/carrier.ts';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Vault } from '#platform/vault.ts';
import type { BatchLimits } from './batch/batch-parts.ts';
import type { Addon } from './model/addon/addon.ts';
import type { EnvironmentProvider } from './model/environment-providers.ts';
import type { LocalModel } from './model/local/local-model.ts';
import type { QueueSettings } from './open-queue.ts';
import type { PlantedFaults } from './planted-faults.ts';

/** What the service is made from. */
export interface PatternOptions {
  readonly database: Database;
  readonly registry: ProcessRegistry;
  readonly carrier: Carrier;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly cursors: Cursors;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly redact: (text: string) => string;
  /** Folder of the starter patterns. */
  readonly starters: string;
  /** Providers that the operator gave; one that is found later appears in it. */
  readonly environmentProviders: () => readonly EnvironmentProvider[];
  readonly localModel: LocalModel | null;
  /** Null or missing where there is none: its providers then say so. */
  readonly addon?: Addon | null;
  readonly defaultModel: string | null;
  readonly runs: {
    readonly timeout_ms: number;
    readonly max_tokens: number;
    readonly first_byte_ms: number;
    readonly idle_ms: number;
    readonly concurrency: number;
    readonly record_within_ms: number;
  };
  readonly queue: QueueSettings;
  readonly batches: BatchLimits;
  readonly planted?: PlantedFaults;
}
