import { errorCatalogue } from '@damask/contracts/errors.ts';
import { type Operation, pathParameters } from '@damask/contracts/operation.ts';
import type { Route } from './routes.ts';
import { scimType } from './scim-problem.ts';

type Json = Record<string, unknown>;
type Schema = Operation['output'];

/** The public operations as an OpenAPI 3.1 document. */
export function buildOpenApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.operation.path] = {
      ...paths[route.operation.path],
      [route.operation.method.toLowerCase()]: describe(route),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Damask',
      version,
      description: 'The production platform for AI patterns. Errors are application/problem+json with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'A key that begins with dmk_.' },
        login: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-damask',
          description:
            'Of a browser that signed in. Writes also send Damask-CSRF; what belongs to a workspace, Damask-Workspace.',
        },
      },
      schemas: { Problem: problem },
    },
  };
}

function describe({ service, name, operation }: Route): Json {
  const inPath = new Set(pathParameters(operation.path));
  const required = new Set((operation.input.required as string[] | undefined) ?? []);
  const fields = Object.entries(operation.input.properties as Record<string, Schema>);
  const takesBody = operation.method !== 'GET' && operation.method !== 'DELETE' && !operation.bodyTypes;
  const bodyFields = takesBody ? fields.filter(([field]) => !inPath.has(field)) : [];
  const parameters = fields
    .filter(([field]) => inPath.has(field) || !takesBody)
    .map(([field, schema]) => ({
      name: field,
      in: inPath.has(field) ? 'path' : 'query',
      required: inPath.has(field) || required.has(field),
      schema,
    }));
  const inHeader = Object.entries(operation.headers ?? {}).map(([header, field]) => ({
    name: header,
    in: 'header',
    required: false,
    description: `Gives the field ${field}.`,
    schema: operation.input.properties[field],
  }));
  return {
    operationId: name,
    tags: [service],
    summary: operation.summary,
    security: securityOf(operation.permission),
    'x-permission': operation.permission,
    ...(parameters.length + inHeader.length > 0 ? { parameters: [...parameters, ...inHeader] } : {}),
    ...(bodyFields.length > 0 ? { requestBody: requestBody(bodyFields, required, operation.uploads?.types) } : {}),
    ...(operation.bodyTypes ? { requestBody: bytesBody(operation.bodyTypes) } : {}),
    responses: responses(operation),
  };
}

function bytesBody(types: readonly string[]): Json {
  return { required: true, content: Object.fromEntries(types.map((type) => [type, {}])) };
}

/** What is uploaded takes the place of the JSON; the fields then stand in the query. */
function requestBody(fields: [string, Schema][], required: Set<string>, uploads: readonly string[] = []): Json {
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(fields),
    required: fields.map(([field]) => field).filter((field) => required.has(field)),
  };
  const uploaded = Object.fromEntries(uploads.map((type) => [type, {}]));
  return { required: schema.required.length > 0, content: { 'application/json': { schema }, ...uploaded } };
}

function responses(operation: Route['operation']): Json {
  const answers: Record<string, Json> = {
    [operation.status]: {
      description: 'Success',
      content: {
        ...Object.fromEntries(Object.values(operation.answerTypes ?? {}).map((type) => [type, {}])),
        ...(operation.alwaysStreams || operation.answerTypes
          ? {}
          : { [operation.media ?? (operation.dialect ? scimType : 'application/json')]: { schema: operation.output } }),
        ...(operation.events ? { 'text/event-stream': { schema: { type: 'string' } } } : {}),
      },
    },
  };
  const { statusWhen } = operation;
  if (statusWhen) {
    answers[statusWhen.status] = {
      description: `Success, where ${statusWhen.field} is ${statusWhen.value}`,
      content: { 'application/json': { schema: operation.output } },
    };
  }
  const everywhere =
    operation.permission === 'public' ? [] : (['invalid_request', 'unauthenticated', 'forbidden'] as const);
  for (const code of [...everywhere, ...operation.errors]) {
    const { status, title } = errorCatalogue[code];
    const known = answers[status]?.description;
    answers[status] = {
      description: known ? `${known}; ${code}: ${title}` : `${code}: ${title}`,
      content: operation.dialect
        ? { [scimType]: { schema: { type: 'object' } } }
        : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return answers;
}

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorCatalogue) },
    detail: { type: 'string', description: 'What is wrong and what to do next.' },
    request_id: { type: 'string' },
    pointer: { type: 'string', description: 'JSON pointer to the field that is wrong.' },
    need: { type: 'string', description: 'The permission that is missing.' },
    run_id: { type: 'string' },
    problems: { type: 'array', items: { type: 'object' } },
  },
};

function securityOf(permission: Operation['permission']): Record<string, never[]>[] {
  if (permission === 'public') return [];
  return permission === 'account' ? [{ login: [] }] : [{ apiKey: [] }, { login: [] }];
}
