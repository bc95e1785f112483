import { type Static, Type } from 'typebox';
import { Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { ifMatch, ifMatchHeader } from './precondition.ts';

export const Strategy = Type.Object({
  name: Name,
  description: Type.String(),
  prompt: Type.String(),
  updated_at: Time,
});
export type Strategy = Static<typeof Strategy>;

export const strategyOperations = {
  listStrategies: operation({
    method: 'GET',
    path: '/v1/strategies',
    permission: 'strategy:read',
    summary: 'Strategies of the workspace by name',
    input: strict({ ...page }),
    output: pageOf(Strategy),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readStrategy: operation({
    method: 'GET',
    path: '/v1/strategies/{strategy}',
    permission: 'strategy:read',
    summary: 'One strategy',
    input: strict({ strategy: Name }),
    output: Strategy,
    status: 200,
    errors: ['not_found'],
  }),
  putStrategy: operation({
    method: 'PUT',
    path: '/v1/strategies/{strategy}',
    permission: 'strategy:write',
    summary: 'Create or replace a strategy',
    input: strict({
      strategy: Name,
      description: Type.Optional(Type.String({ maxLength: 500 })),
      prompt: Type.String({ minLength: 1, maxLength: 65_536 }),
      ...ifMatch,
    }),
    headers: ifMatchHeader,
    output: Strategy,
    status: 200,
    errors: ['precondition_failed', 'policy_refused'],
  }),
  deleteStrategy: operation({
    method: 'DELETE',
    path: '/v1/strategies/{strategy}',
    permission: 'strategy:write',
    summary: 'Delete a strategy',
    input: strict({ strategy: Name, ...ifMatch }),
    headers: ifMatchHeader,
    output: Strategy,
    status: 200,
    errors: ['not_found', 'precondition_failed'],
  }),
} satisfies Operations;
