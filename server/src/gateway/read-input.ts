import type { IncomingMessage } from 'node:http';
import type { Operation } from '@damask/contracts/operation.ts';
import { bodyLimit } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { QueryDecoder } from '#platform/query-decoder.ts';
import { parseStrictJson } from '#platform/strict-json.ts';
import type { BodyShare } from './body-budget.ts';
import { readBody, readPieces } from './read-body.ts';

/** Bodies above this are parsed in a worker: the event loop must not be held for more than 5 ms. */
const inlineParse = 256 * 1024;

/** The flat input of an operation that takes a body. */
export async function readInput(
  request: IncomingMessage,
  operation: Operation,
  parameters: Record<string, unknown>,
  query: string,
  share: BodyShare,
  parseLarge: (bytes: Buffer) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  if (query !== '') {
    throw new AppError('invalid_request', 'This address takes no query; put the fields into the JSON body.', {
      pointer: '',
    });
  }
  if (request.headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'Compressed bodies are not accepted. Send the JSON as it is.');
  }
  const type = request.headers['content-type'];
  if (type === undefined ? hasBody(request) : !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new AppError('unsupported_media_type', 'Send JSON with the header "content-type: application/json".');
  }
  const bytes = await readBody(request, operation.bodyLimit ?? bodyLimit, share);
  const body = bytes.length === 0 ? {} : bytes.length > inlineParse ? await parseLarge(bytes) : parseStrictJson(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid_request', 'The body must be a JSON object.', { pointer: '' });
  }
  return withParameters(body as Record<string, unknown>, parameters);
}

/** The bytes of a body that is no JSON. */
export async function readBytes(
  request: IncomingMessage,
  { bodyTypes: types = [], bodyLimit: limit = bodyLimit }: Operation,
  share: BodyShare,
): Promise<readonly Buffer[]> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!types.includes(type) || request.headers['content-encoding'] !== undefined) {
    throw new AppError(
      'unsupported_media_type',
      `Send the bytes as they are, with a content type of ${types.join(', ')}.`,
    );
  }
  return readPieces(request, limit, share);
}

/** What the braces of the path stand for. */
export function readParameters(raw: Readonly<Record<string, string>>, decoder: QueryDecoder): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const name in raw) parameters[name] = decoder.parameter(name, raw[name] as string);
  return parameters;
}

/** A name that the address gives must not be given again. */
export function withParameters(
  fields: Record<string, unknown>,
  parameters: Record<string, unknown>,
): Record<string, unknown> {
  for (const name in parameters) {
    if (Object.hasOwn(fields, name)) {
      throw new AppError('invalid_request', `"${name}" stands in the address already; leave it out here.`, {
        pointer: `/${name}`,
      });
    }
    fields[name] = parameters[name];
  }
  return fields;
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/** The flat input of an operation without a body. */
export function readQuery(
  request: IncomingMessage,
  query: Record<string, unknown>,
  parameters: Record<string, unknown>,
) {
  if (hasBody(request)) {
    throw new AppError('invalid_request', `${request.method} takes no body here; put fields into the query.`, {
      pointer: '',
    });
  }
  return withParameters(query, parameters);
}
