import type { Provider } from '@damask/contracts/model.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';
import { noLimits } from '../routing/gate.ts';
import type { Gates } from '../routing/gates.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import type { ModelRouter } from './model-router.ts';
import type { ProviderSources } from './provider-sources.ts';
import type { ProviderRow } from './store.ts';

export const providersTopic = 'pattern.providers';

export interface ModelParts {
  readonly database: Database;
  readonly router: ModelRouter;
  readonly sources: ProviderSources;
  readonly gates: Gates;
  readonly environment: () => readonly EnvironmentProvider[];
  readonly egress: Egress;
  readonly vault: Vault;
  readonly trail: Trail;
  readonly clock: Clock;
  readonly log: Log;
  /** Brings this process's own table up to date, so that a caller can run what it has just added. */
  readonly afterChange: () => Promise<void>;
}

/** A change in one transaction; this process's own table knows it when it returns. */
export async function changeProviders<Result>(
  parts: Pick<ModelParts, 'database' | 'afterChange' | 'log'>,
  workspace: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const result = await parts.database.transaction({ role: 'pattern', workspace }, work);
  await parts
    .afterChange()
    .catch((error: unknown) => parts.log.warn('The table of providers follows a change later', { error }));
  return result;
}

/** A provider as callers see it: without its key. */
export function toProvider(row: ProviderRow): Provider {
  return {
    name: row.name,
    origin: 'workspace',
    protocol: row.protocol,
    base_url: row.base_url,
    api_version: row.api_version,
    has_key: row.api_key !== null,
    models: [...row.models],
    offered: row.offered === null ? null : [...row.offered],
    limits: { ...noLimits, ...row.limits },
    fallbacks: [...row.fallbacks],
    updated_at: row.updated_at.toISOString(),
  };
}

export function fromEnvironment(provider: EnvironmentProvider): Provider {
  return {
    name: provider.name,
    origin: 'environment',
    protocol: provider.protocol,
    base_url: provider.baseUrl,
    api_version: provider.apiVersion ?? null,
    has_key: provider.apiKey !== null,
    models: [...provider.models],
    offered: provider.offered === null ? null : [...provider.offered],
    limits: noLimits,
    fallbacks: [],
    updated_at: null,
  };
}
