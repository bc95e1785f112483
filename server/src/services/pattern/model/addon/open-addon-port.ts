import type { ProviderProtocol } from '@damask/contracts/model.ts';
import type { ModelPort } from '../model-call.ts';
import { createOpenAiChat } from '../openai-chat.ts';
import type { SourceOptions } from '../source-options.ts';
import { noAddon } from './no-addon.ts';

const spoken: ReadonlySet<ProviderProtocol> = new Set(['bedrock', 'vertex', 'cohere', 'mistral']);

/** Whether the add-on speaks it, instead of an adapter of ours. */
export const isAddonProtocol = (protocol: ProviderProtocol): boolean => spoken.has(protocol);

export interface AddonProvider {
  readonly provider: string;
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

/** A port to a vendor through the add-on's socket. Who is called, with which key, goes along with each call. */
export function openAddonPort(options: SourceOptions, given: AddonProvider): ModelPort {
  const { addon, egress } = options;
  if (!addon) throw noAddon('This process has none.');
  const { provider, protocol: vendor, baseUrl, apiKey: key } = given;
  // Judged here as well, so that a refused address is told as such and not as a failure of the vendor.
  egress.check(baseUrl);
  return createOpenAiChat({
    ...options,
    provider,
    pool: egress.pool('http://localhost', { trusted: true, socketPath: addon.socketPath }),
    basePath: '/v1',
    apiKey: Buffer.from(JSON.stringify({ vendor, baseUrl, key })).toString('base64url'),
    maxTokensField: 'max_tokens',
    defaultMaxTokens: options.defaultMaxTokens,
    documents: true,
    forms: vendor === 'bedrock' ? 'words' : 'native',
  });
}
