import { type Operation, pathParameters } from '@damask/contracts/operation.ts';
import { makeTar } from '../server/src/services/pattern/transfer/archives-for-tests.ts';
import { RawBody } from './http-client.ts';

/** The part of JSON Schema that contracts use. */
export interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly additionalProperties?: unknown;
}

export type Input = Readonly<Record<string, unknown>>;

/** A value that fits. Throws for a shape that it cannot guess: give the field a value by its name then. */
export function sampleValue(shape: Shape, field: string): unknown {
  if ('const' in shape) return shape.const;
  if (shape.anyOf) return sampleValue(shape.anyOf[0] as Shape, field);
  switch (shape.type) {
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return Math.max(1, shape.minimum ?? 1);
    case 'array':
      return Array.from({ length: shape.minItems ?? 0 }, () => sampleValue(shape.items as Shape, field));
    case 'object':
      return Object.fromEntries(
        (shape.required ?? []).map((name) => [name, sampleValue(shape.properties?.[name] as Shape, name)]),
      );
    case 'string':
      return sampleText(shape, field);
    default:
      throw new Error(`No sample for ${field}: ${JSON.stringify(shape)}`);
  }
}

const texts = [
  'sample',
  'viewer',
  'sample/sample',
  '2099-01-01T00:00:00Z',
  '01900000-0000-7000-8000-000000000000',
  'page.mjs',
  'BBBB-BBBB',
  'x'.repeat(43),
  '0'.repeat(64),
];

function sampleText(shape: Shape, field: string): string {
  if (shape.format === 'date-time') return '2099-01-01T00:00:00Z';
  const found = texts.find((text) => shape.pattern === undefined || new RegExp(shape.pattern, 'u').test(text));
  if (found === undefined) throw new Error(`No sample for the field ${field}, which must match ${shape.pattern}`);
  return found.padEnd(shape.minLength ?? 0, 'x');
}

/** The required fields of an operation: those that `known` names, and samples for the rest. */
export function sampleInput(operation: Operation, known: Input = {}): Record<string, unknown> {
  const { properties = {}, required = [] } = operation.input as unknown as Shape;
  return Object.fromEntries(
    required.map((field) => [
      field,
      Object.hasOwn(known, field) && !namesAnother(properties[field], known[field])
        ? known[field]
        : sampleValue(properties[field] as Shape, field),
    ]),
  );
}

/** A field that only has its name in common with a known thing: a timer's `run` is no id. */
function namesAnother(shape: Shape | undefined, known: unknown): boolean {
  return shape?.type === 'object' && typeof known === 'string';
}

const archive = makeTar([{ name: 'patterns/from_an_archive/system.md', content: 'Answer about {{topic}}.' }]);

let names = 0;

/** What a directory sends. Names are taken once. */
function scimBody({ method, path }: Pick<Operation, 'method' | 'path'>): RawBody {
  const name = `sample ${process.pid} ${names++}`;
  const whole = path.includes('Users') ? { userName: name } : { displayName: name };
  const body = method === 'PATCH' ? { Operations: [{ op: 'replace', value: whole }] } : whole;
  return new RawBody('application/scim+json', Buffer.from(JSON.stringify(body)));
}

export interface SplitInput {
  readonly path: string;
  readonly body: Record<string, unknown> | RawBody | undefined;
}

/** Where each field of an input goes: into the address, the query or the body. */
export function toRequest(operation: Pick<Operation, 'method' | 'path' | 'bodyTypes'>, input: Input): SplitInput {
  const rest: Record<string, unknown> = { ...input };
  let path = operation.path;
  for (const name of pathParameters(operation.path)) {
    path = path.replace(`{${name}}`, encodeURIComponent(String(rest[name])));
    delete rest[name];
  }
  const bytes =
    operation.bodyTypes &&
    (operation.path.startsWith('/scim/') ? scimBody(operation) : new RawBody('application/x-tar', archive));
  if (takesBody(operation)) return { path, body: rest };
  const query = Object.entries(rest).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return { path: query.length === 0 ? path : `${path}?${query.join('&')}`, body: bytes };
}

/** A body of JSON. */
export function takesBody(operation: Pick<Operation, 'method' | 'bodyTypes'>): boolean {
  return operation.method !== 'GET' && operation.method !== 'DELETE' && operation.bodyTypes === undefined;
}

/** All fields are in the address. */
export function takesNoBody(operation: Pick<Operation, 'method'>): boolean {
  return operation.method === 'GET' || operation.method === 'DELETE';
}

/** `POST /v1/runs`: how operations are named in tables and reports. */
export function titleOf(operation: Pick<Operation, 'method' | 'path'>): string {
  return `${operation.method} ${operation.path}`;
}
