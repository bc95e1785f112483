import type { ProviderProtocol } from '@damask/contracts/model.ts';
import { createAdapter } from './create-adapter.ts';
import type { ModelPort } from './model-call.ts';
import type { SourceOptions } from './source-options.ts';

export interface ProviderAddress {
  readonly provider: string;
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly apiVersion: string | null;
  /** The operator named it; never for what a user entered. */
  readonly trusted: boolean;
}

/** A port to the provider over guarded connections. Throws `egress_denied`. */
export function openPort(options: SourceOptions, { trusted, ...address }: ProviderAddress): ModelPort {
  const { origin, hostname } = new URL(address.baseUrl);
  return createAdapter({
    ...options,
    ...address,
    pool: options.egress.pool(origin, { trusted }),
    // OpenAI's own newer models take only this name; others know only the older one.
    maxTokensField: hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens',
  });
}
