import { type Static, Type } from 'typebox';
import { Name, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

const ModelId = Type.String({ minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$' });
const FullModelName = Type.String({
  minLength: 3,
  maxLength: 300,
  pattern: '^[a-z0-9][a-z0-9_-]{0,99}/[A-Za-z0-9][A-Za-z0-9._:/@+-]*$',
});
const PriceField = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 });
const TokenCount = Type.Integer({ minimum: 1, maximum: 100_000_000 });

export const Capability = Type.Union([
  Type.Literal('images'),
  Type.Literal('pdf'),
  Type.Literal('json_schema'),
  Type.Literal('tools'),
  Type.Literal('reasoning'),
]);
export type Capability = Static<typeof Capability>;

/** Prices are millionths of a US dollar for a million tokens; a model without a price has an unknown cost, never 0. */
export const ModelOffer = strict({
  id: ModelId,
  context_window: Type.Optional(TokenCount),
  max_output: Type.Optional(TokenCount),
  input_price: Type.Optional(PriceField),
  output_price: Type.Optional(PriceField),
  /** Of input that the vendor had in its cache, and of input that it put there; the input price where they are missing. */
  cached_input_price: Type.Optional(PriceField),
  cache_write_price: Type.Optional(PriceField),
  /** Queued runs that call it at the same time, in all processes. */
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
});
export type ModelOffer = Static<typeof ModelOffer>;

export const ProviderProtocol = Type.Union([
  Type.Literal('openai'),
  Type.Literal('anthropic'),
  Type.Literal('gemini'),
  Type.Literal('azure'),
  Type.Literal('ollama'),
  // Through the add-on, which is installed when one of them is used first.
  Type.Literal('bedrock'),
  Type.Literal('vertex'),
  Type.Literal('cohere'),
  Type.Literal('mistral'),
]);
export type ProviderProtocol = Static<typeof ProviderProtocol>;

const Limit = Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()]);

/** What a provider is asked at most: at once by each process, in a minute by all of them together. Null: no limit. */
export const ProviderLimits = strict({
  concurrency: Limit,
  requests_per_minute: Limit,
  tokens_per_minute: Limit,
});
export type ProviderLimits = Static<typeof ProviderLimits>;

export const Provider = Type.Object({
  name: Name,
  origin: Type.Union([Type.Literal('environment'), Type.Literal('workspace'), Type.Literal('local')]),
  protocol: ProviderProtocol,
  base_url: Type.Union([Type.String(), Type.Null()]),
  api_version: Type.Union([Type.String(), Type.Null()], { description: 'Of Azure; null: its current one.' }),
  has_key: Type.Boolean(),
  models: Type.Array(ModelOffer),
  offered: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'What the provider itself said it has, when it was asked last. Null: it did not say.',
  }),
  limits: ProviderLimits,
  fallbacks: Type.Array(Type.String(), { description: 'Models for runs of this provider whose version names none.' }),
  updated_at: Type.Union([Time, Type.Null()]),
});
export type Provider = Static<typeof Provider>;

export const Model = Type.Object({
  name: Type.String({ description: 'provider/model' }),
  provider: Name,
  default: Type.Boolean(),
  ready: Type.Boolean(),
  note: Type.Union([Type.String(), Type.Null()], { description: 'Why it is not ready, or what is unverified.' }),
  context_window: Type.Union([Type.Integer(), Type.Null()]),
  max_output: Type.Union([Type.Integer(), Type.Null()]),
  input_price: Type.Union([Type.Integer(), Type.Null()], { description: 'Null: not known, which is not 0.' }),
  output_price: Type.Union([Type.Integer(), Type.Null()]),
  cached_input_price: Type.Union([Type.Integer(), Type.Null()]),
  cache_write_price: Type.Union([Type.Integer(), Type.Null()]),
  price_source: Type.Union([
    Type.Literal('workspace'),
    Type.Literal('operator'),
    Type.Literal('catalogue'),
    Type.Null(),
  ]),
  price_as_of: Type.Union([Type.String(), Type.Null()], { description: "Day on which the vendor's page was read." }),
  capabilities: Type.Union([Type.Array(Capability), Type.Null()], { description: 'Null: not known.' }),
});
export type Model = Static<typeof Model>;

/** What the process that answers has seen of a provider in the last minute. */
export const ProviderHealth = Type.Object({
  provider: Name,
  origin: Type.Union([Type.Literal('environment'), Type.Literal('workspace'), Type.Literal('local')]),
  state: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half-open')], {
    description: 'Of the circuit breakers of its models, the worst one; open: no call goes out.',
  }),
  models: Type.Array(
    Type.Object({
      model: Type.String(),
      state: Type.Union([Type.Literal('open'), Type.Literal('half-open'), Type.Literal('closed')]),
      retry_after_ms: Type.Union([Type.Integer(), Type.Null()]),
    }),
    { maxItems: 50, description: 'Models whose breaker is not closed.' },
  ),
  key_refused: Type.Boolean(),
  retry_after_ms: Type.Union([Type.Integer(), Type.Null()], { description: 'Until the next call may go out.' }),
  calls: Type.Integer(),
  failures: Type.Integer(),
  failure_share: Type.Union([Type.Number(), Type.Null()]),
  retries: Type.Integer(),
  running: Type.Integer(),
  waiting: Type.Integer(),
  p50_ms: Type.Union([Type.Number(), Type.Null()], { description: 'Of the last 64 calls that succeeded.' }),
  last_error: Type.Union([Type.Object({ code: Type.String(), detail: Type.String(), at: Time }), Type.Null()]),
});
export type ProviderHealth = Static<typeof ProviderHealth>;

export const ProviderTest = Type.Object({
  provider: Name,
  ok: Type.Boolean(),
  model: Type.Union([Type.String(), Type.Null()], { description: 'provider/model that was called.' }),
  latency_ms: Type.Union([Type.Number(), Type.Null()]),
  usage: Type.Object({
    input_tokens: Type.Union([Type.Integer(), Type.Null()]),
    output_tokens: Type.Union([Type.Integer(), Type.Null()]),
  }),
  cost_micros: Type.Union([Type.Integer(), Type.Null()]),
  offered: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Models that the provider lists; null: none told.',
  }),
  error: Type.Union([
    Type.Object({
      code: Type.String(),
      detail: Type.String(),
      provider_status: Type.Union([Type.Integer(), Type.Null()]),
    }),
    Type.Null(),
  ]),
});
export type ProviderTest = Static<typeof ProviderTest>;

export const modelOperations = {
  listModels: operation({
    method: 'GET',
    path: '/v1/models',
    permission: 'model:read',
    summary: 'Models that a run can name',
    input: strict({}),
    output: Type.Object({ items: Type.Array(Model, { maxItems: 1000 }) }),
    status: 200,
    errors: [],
  }),
  listProviders: operation({
    method: 'GET',
    path: '/v1/providers',
    permission: 'provider:read',
    summary: 'Providers of the workspace, without their keys',
    input: strict({}),
    output: Type.Object({ items: Type.Array(Provider, { maxItems: 200 }) }),
    status: 200,
    errors: [],
  }),
  readProviderHealth: operation({
    method: 'GET',
    path: '/v1/providers/health',
    permission: 'provider:read',
    summary: 'How the providers have behaved in the last minute, as the answering process saw it',
    input: strict({}),
    output: Type.Object({ items: Type.Array(ProviderHealth, { maxItems: 200 }) }),
    status: 200,
    errors: [],
  }),
  putProvider: operation({
    method: 'PUT',
    path: '/v1/providers/{provider}',
    permission: 'provider:write',
    summary: 'Add a provider, or change what the body names of it',
    input: strict({
      provider: Name,
      protocol: Type.Optional(ProviderProtocol),
      base_url: Type.String({ minLength: 8, maxLength: 500 }),
      api_version: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9.-]{1,40}$' })),
      api_key: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
      models: Type.Optional(Type.Array(ModelOffer, { maxItems: 200 })),
      limits: Type.Optional(
        strict({
          concurrency: Type.Optional(Limit),
          requests_per_minute: Type.Optional(Limit),
          tokens_per_minute: Type.Optional(Limit),
        }),
      ),
      fallbacks: Type.Optional(Type.Array(FullModelName, { maxItems: 5 })),
    }),
    output: Provider,
    status: 200,
    errors: ['egress_denied', 'secret_required', 'policy_refused'],
  }),
  testProvider: operation({
    method: 'POST',
    path: '/v1/providers/{provider}/test',
    permission: 'provider:write',
    summary: 'Call a provider once with a few tokens and tell how it went',
    input: strict({ provider: Name, model: Type.Optional(ModelId) }),
    output: ProviderTest,
    status: 200,
    errors: ['not_found', 'no_model'],
  }),
  deleteProvider: operation({
    method: 'DELETE',
    path: '/v1/providers/{provider}',
    permission: 'provider:write',
    summary: 'Remove a provider and its key',
    input: strict({ provider: Name }),
    output: Provider,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
