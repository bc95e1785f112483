import { type Static, Type } from 'typebox';
import { strict } from './field.ts';
import { type Operations, operation } from './operation.ts';

/** Kinds of addresses that people enter. Each has its own list of what may be called beyond the public internet. */
const Surface = Type.Union([Type.Literal('provider'), Type.Literal('identity_provider'), Type.Literal('import')], {
  description: 'What the address is for: a provider of models, an identity provider, or an import.',
});
export type EgressSurface = Static<typeof Surface>;
export const egressSurfaces: readonly EgressSurface[] = ['provider', 'identity_provider', 'import'];

export const egressOperations = {
  readEgress: operation({
    method: 'GET',
    path: '/v1/egress',
    permission: 'egress:read',
    summary: 'What addresses that people enter may lead to beyond the public internet, for each kind of address',
    input: strict({}),
    output: Type.Object({
      surfaces: Type.Array(
        Type.Object({
          surface: Surface,
          allow: Type.Array(Type.String(), { description: 'CIDRs, addresses, hosts and ports of the settings.' }),
        }),
      ),
    }),
    status: 200,
    errors: [],
  }),
  checkEgress: operation({
    method: 'POST',
    path: '/v1/egress/check',
    permission: 'egress:read',
    summary: 'Whether an address would be called, and why not; nothing is sent there',
    input: strict({ url: Type.String({ minLength: 1, maxLength: 2_000 }), surface: Type.Optional(Surface) }),
    output: Type.Object({
      surface: Surface,
      verdict: Type.Union([Type.Literal('allowed'), Type.Literal('denied'), Type.Literal('unknown')], {
        description: 'unknown: the name could not be resolved now, and is judged when it can.',
      }),
      reason: Type.Union([Type.String(), Type.Null()]),
    }),
    status: 200,
    errors: [],
  }),
} satisfies Operations;
