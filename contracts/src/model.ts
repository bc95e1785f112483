import { type Static, Type } from 'typebox';
import { Name, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

const ModelId = Type.String({ minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$' });

/** Prices are millionths of a US dollar for a million tokens; a model without a price has an unknown cost, never 0. */
export const ModelOffer = strict({
  id: ModelId,
  context_window: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000_000 })),
  input_price: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })),
  output_price: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })),
});
export type ModelOffer = Static<typeof ModelOffer>;

export const Provider = Type.Object({
  name: Name,
  origin: Type.Union([Type.Literal('environment'), Type.Literal('workspace'), Type.Literal('local')]),
  base_url: Type.Union([Type.String(), Type.Null()]),
  has_key: Type.Boolean(),
  models: Type.Array(ModelOffer),
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
  input_price: Type.Union([Type.Integer(), Type.Null()]),
  output_price: Type.Union([Type.Integer(), Type.Null()]),
});
export type Model = Static<typeof Model>;

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
  putProvider: operation({
    method: 'PUT',
    path: '/v1/providers/{provider}',
    permission: 'provider:write',
    summary: 'Add or change a provider that speaks the OpenAI-compatible chat protocol',
    input: strict({
      provider: Name,
      base_url: Type.String({ minLength: 8, maxLength: 500 }),
      api_key: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
      models: Type.Optional(Type.Array(ModelOffer, { maxItems: 200 })),
    }),
    output: Provider,
    status: 200,
    errors: ['egress_denied', 'secret_required', 'policy_refused'],
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
