import { Type } from 'typebox';
import { strict } from './field.ts';
import { type Operations, operation } from './operation.ts';

export const gatewayOperations = {
  readLive: operation({
    method: 'GET',
    path: '/livez',
    permission: 'public',
    summary: 'Is the process itself alive',
    input: strict({}),
    output: Type.Object({ status: Type.Literal('live') }),
    status: 200,
    errors: [],
  }),
  readReady: operation({
    method: 'GET',
    path: '/readyz',
    permission: 'public',
    summary: 'Can it take requests now; 503 names the part that cannot',
    input: strict({}),
    output: Type.Object({ status: Type.Literal('ready') }),
    status: 200,
    errors: ['unavailable'],
  }),
  readOpenApi: operation({
    method: 'GET',
    path: '/openapi.json',
    permission: 'public',
    summary: 'This interface as OpenAPI 3.1',
    input: strict({}),
    output: Type.Object({}, { additionalProperties: true }),
    status: 200,
    errors: [],
  }),
  readReference: operation({
    method: 'GET',
    path: '/docs',
    permission: 'public',
    summary: 'This interface as a page to read',
    input: strict({}),
    output: Type.String(),
    media: 'text/html; charset=utf-8',
    status: 200,
    errors: [],
  }),
  readHome: operation({
    method: 'GET',
    path: '/',
    permission: 'public',
    summary: 'Where to go from here, as a page',
    input: strict({}),
    output: Type.String(),
    media: 'text/html; charset=utf-8',
    status: 200,
    errors: [],
  }),
} satisfies Operations;
