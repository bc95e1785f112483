import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Vault } from '#platform/vault.ts';
import type { Catalogue } from '../routing/catalogue.ts';
import type { Addon } from './addon/addon.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import type { LocalModel } from './local/local-model.ts';
import type { ProviderTable } from './provider-table.ts';

export interface SourceOptions {
  readonly environment: () => readonly EnvironmentProvider[];
  readonly providers: ProviderTable;
  readonly local: LocalModel | null;
  /** Speaks to the vendors whose protocol we do not; null in a process that executes no runs. */
  readonly addon: Addon | null;
  readonly catalogue: Catalogue;
  readonly egress: Egress;
  readonly vault: Vault;
  /** Tokens that an answer may have where neither pattern nor request says. */
  readonly defaultMaxTokens: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly redact: (text: string) => string;
  readonly clock: Clock;
}

/** The provider of the model on this machine. */
export const localProvider = 'local';
