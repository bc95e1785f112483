import type { Operation } from '@damask/contracts/operation.ts';
import { AppError } from './app-error.ts';
import { pointTo } from './json-reader.ts';
import { parseStrictJson } from './strict-json.ts';

/** Reads a raw query (without the `?`) or a single path parameter into the types of an operation's input. */
export interface QueryDecoder {
  /** A flat object of own keys. Unknown names stay strings: the check of the input refuses them by name. */
  query(raw: string): Record<string, unknown>;
  /** The value of one parameter of the path, percent-decoded. */
  parameter(name: string, raw: string): unknown;
}

type Kind = 'string' | 'integer' | 'number' | 'boolean' | 'json';
interface Field {
  readonly kind: Kind;
  readonly list: boolean;
}

interface Shape {
  readonly type?: string;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
}

const mostPairs = 100;
const integer = /^-?(?:0|[1-9]\d{0,15})$/;
const decimal = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/;

/** Built once for each operation. Throws for an input that a query cannot carry in a GET or DELETE. */
export function buildQueryDecoder(operation: Pick<Operation, 'method' | 'input'>): QueryDecoder {
  const strict = operation.method === 'GET' || operation.method === 'DELETE';
  const fields = new Map<string, Field>();
  for (const [name, schema] of Object.entries(operation.input.properties)) {
    const field = fieldOf(schema as Shape) ?? (strict ? undefined : jsonField(schema as Shape));
    if (field !== undefined) fields.set(name, field);
    else if (strict) throw new Error(`the field ${name} cannot be sent in a query`);
  }

  return {
    query(raw) {
      const result: Record<string, unknown> = Object.create(null);
      if (raw === '') return result;
      const pairs = raw.split('&', mostPairs + 1);
      if (pairs.length > mostPairs) throw refuse('', `the query has more than ${mostPairs} fields`);
      for (const pair of pairs) {
        if (pair === '') continue;
        const middle = pair.indexOf('=');
        const name = decode('', middle < 0 ? pair : pair.slice(0, middle), true);
        const text = decode(name, middle < 0 ? '' : pair.slice(middle + 1), true);
        add(result, name, text, fields.get(name));
      }
      return result;
    },
    parameter(name, raw) {
      const text = decode(name, raw, false);
      return convert(text, fields.get(name)?.kind ?? 'string');
    },
  };
}

function fieldOf(schema: Shape): Field | undefined {
  if (schema.type === 'array') {
    const kind = schema.items === undefined ? undefined : kindOf(schema.items);
    return kind === undefined ? undefined : { kind, list: true };
  }
  const kind = kindOf(schema);
  return kind === undefined ? undefined : { kind, list: false };
}

// Beside an upload there is no other place for an object.
function jsonField({ type }: Shape): Field | undefined {
  return type === 'object' ? { kind: 'json', list: false } : undefined;
}

function kindOf(schema: Shape): Kind | undefined {
  if (schema.anyOf !== undefined) {
    const kinds = new Set(schema.anyOf.map(kindOf));
    return kinds.size === 1 ? [...kinds][0] : undefined;
  }
  const { type } = schema;
  return type === 'string' || type === 'integer' || type === 'number' || type === 'boolean' ? type : undefined;
}

function add(result: Record<string, unknown>, name: string, text: string, field: Field | undefined): void {
  const value = convert(text, field?.kind ?? 'string');
  const before = result[name];
  if (field?.list === true) {
    if (Array.isArray(before)) before.push(value);
    else result[name] = [value];
    return;
  }
  if (before !== undefined) throw refuse(pointTo('', name), 'the field is given twice');
  result[name] = value;
}

// What does not read as the type stays a string; the check of the input then says which type it expects.
function convert(text: string, kind: Kind): unknown {
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind === 'integer') return integer.test(text) ? Number(text) : text;
  if (kind === 'number') return decimal.test(text) ? Number(text) : text;
  if (kind === 'json') return readObject(text);
  return text;
}

function readObject(text: string): unknown {
  try {
    return parseStrictJson(Buffer.from(text));
  } catch {
    return text;
  }
}

/** `form`: a plus sign is a space, as browsers and clients write queries; not so in a path. */
function decode(field: string, raw: string, form: boolean): string {
  const pointer = field === '' ? '' : pointTo('', field);
  let text = form && raw.includes('+') ? raw.replaceAll('+', ' ') : raw;
  if (text.includes('%')) {
    try {
      text = decodeURIComponent(text);
    } catch {
      throw refuse(pointer, 'a percent escape is broken or is not UTF-8');
    }
  }
  if (text.includes('\0')) throw refuse(pointer, 'the character NUL is not allowed');
  if (!text.isWellFormed()) throw refuse(pointer, 'half of a surrogate pair is not allowed');
  return text;
}

function refuse(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', `The address cannot be read: ${detail}.`, { pointer: pointer.slice(0, 500) });
}
