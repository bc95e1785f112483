import { type Static, Type } from 'typebox';
import { Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { ifMatch, ifMatchHeader } from './precondition.ts';

/** Bytes of a context's text. */
export const contextLimit = 1024 * 1024;

/** A named background text without the text itself: what lists hold. */
export const ContextSummary = Type.Object({
  name: Name,
  bytes: Type.Integer({ description: 'Size of the text in UTF-8.' }),
  updated_at: Time,
});
export type ContextSummary = Static<typeof ContextSummary>;

export const Context = Type.Object({ ...ContextSummary.properties, content: Type.String() });
export type Context = Static<typeof Context>;

const byName = { context: Name };

export const contextOperations = {
  listContexts: operation({
    method: 'GET',
    path: '/v1/contexts',
    permission: 'context:read',
    summary: 'Contexts of the workspace by name, without their texts',
    input: strict({ ...page }),
    output: pageOf(ContextSummary),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readContext: operation({
    method: 'GET',
    path: '/v1/contexts/{context}',
    permission: 'context:read',
    summary: 'One context with its text',
    input: strict(byName),
    output: Context,
    status: 200,
    errors: ['not_found'],
  }),
  putContext: operation({
    method: 'PUT',
    path: '/v1/contexts/{context}',
    permission: 'context:write',
    summary: 'Create or replace a context',
    input: strict({
      ...byName,
      content: Type.String({
        maxLength: contextLimit,
        description: 'UTF-8 text of at most 1 MiB, kept byte for byte.',
      }),
      ...ifMatch,
    }),
    headers: ifMatchHeader,
    output: ContextSummary,
    status: 200,
    errors: ['precondition_failed', 'policy_refused'],
    bodyLimit: 4 * contextLimit,
  }),
  deleteContext: operation({
    method: 'DELETE',
    path: '/v1/contexts/{context}',
    permission: 'context:write',
    summary: 'Delete a context and its text',
    input: strict({ ...byName, ...ifMatch }),
    headers: ifMatchHeader,
    output: ContextSummary,
    status: 200,
    errors: ['not_found', 'precondition_failed'],
  }),
} satisfies Operations;
