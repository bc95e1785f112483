import { createLinearRegexp } from './linear-regexp.ts';

/** Bytes of a schema as JSON. */
export const largestSchema = 64 * 1024;
const deepest = 32;
const mostSchemas = 2_000;

export type UserSchema = boolean | Readonly<Record<string, unknown>>;

/** Why a schema is not taken. `pointer` leads into the schema. */
export class SchemaRefused extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

type Kind =
  | 'schema'
  | 'schemas'
  | 'map'
  | 'names'
  | 'nameLists'
  | 'number'
  | 'count'
  | 'text'
  | 'pattern'
  | 'flag'
  | 'type'
  | 'list'
  | 'any';

/** The keywords that are checked, and what stands under them. */
const keywords: Readonly<Record<string, Kind>> = {
  type: 'type',
  enum: 'list',
  const: 'any',
  $ref: 'text',
  $defs: 'map',
  definitions: 'map',
  properties: 'map',
  patternProperties: 'map',
  additionalProperties: 'schema',
  propertyNames: 'schema',
  required: 'names',
  dependentRequired: 'nameLists',
  dependentSchemas: 'map',
  minProperties: 'count',
  maxProperties: 'count',
  items: 'schema',
  prefixItems: 'schemas',
  contains: 'schema',
  minContains: 'count',
  maxContains: 'count',
  minItems: 'count',
  maxItems: 'count',
  uniqueItems: 'flag',
  minLength: 'count',
  maxLength: 'count',
  pattern: 'pattern',
  format: 'text',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'number',
  allOf: 'schemas',
  anyOf: 'schemas',
  oneOf: 'schemas',
  not: 'schema',
  if: 'schema',
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: 'schema',
  else: 'schema',
};

const annotations = new Set(
  '$schema $id $comment title description default examples example deprecated readOnly writeOnly contentMediaType contentEncoding'.split(
    ' ',
  ),
);

const typeNames = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/**
 * Reads a JSON Schema (2020-12) of a user, as it came out of JSON. Throws `SchemaRefused` for a keyword that is not checked
 * here, for references out of the schema or in a circle, for patterns that cannot be run safely, and for size.
 */
export function readUserSchema(schema: unknown): UserSchema {
  if (JSON.stringify(schema).length > largestSchema) {
    throw new SchemaRefused('', `the schema is larger than ${largestSchema / 1024} KiB`);
  }
  const seen = new Map<object, string>();
  readOne(schema, '', 0, seen);
  for (const [inner, pointer] of seen) refuseCircle(schema, inner, pointer);
  return schema as UserSchema;
}

function readOne(schema: unknown, pointer: string, depth: number, seen: Map<object, string>): void {
  if (typeof schema === 'boolean') return;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new SchemaRefused(pointer, 'a schema is an object, true or false');
  }
  if (depth > deepest) throw new SchemaRefused(pointer, `schemas are nested more than ${deepest} deep`);
  seen.set(schema, pointer);
  if (seen.size > mostSchemas)
    throw new SchemaRefused(pointer, `there are more than ${mostSchemas} schemas in the schema`);
  for (const [name, value] of Object.entries(schema)) {
    const at = `${pointer}/${escapeStep(name)}`;
    if (annotations.has(name) || name.startsWith('x-')) continue;
    if (!Object.hasOwn(keywords, name)) {
      throw new SchemaRefused(at, `${name.slice(0, 60)} is not a keyword that is checked here; remove it`);
    }
    readKeyword(name, value, at, depth, seen);
  }
}

function readKeyword(name: string, value: unknown, at: string, depth: number, seen: Map<object, string>): void {
  const refuse = (what: string) => new SchemaRefused(at, `${name} must be ${what}`);
  switch (keywords[name]) {
    case 'schema':
      readOne(value, at, depth + 1, seen);
      return;
    case 'schemas':
      if (!Array.isArray(value) || value.length === 0) throw refuse('a list of schemas');
      for (const [index, inner] of value.entries()) readOne(inner, `${at}/${index}`, depth + 1, seen);
      return;
    case 'map':
      if (!isObject(value)) throw refuse('an object of schemas');
      for (const [key, inner] of Object.entries(value)) {
        const place = `${at}/${escapeStep(key)}`;
        if (name === 'patternProperties') readPattern(key, place);
        readOne(inner, place, depth + 1, seen);
      }
      return;
    case 'names':
      if (!isNames(value)) throw refuse('a list of names');
      return;
    case 'nameLists':
      if (!isObject(value) || !Object.values(value).every(isNames)) throw refuse('an object of lists of names');
      return;
    case 'number':
      if (typeof value !== 'number' || (name === 'multipleOf' && value <= 0)) throw refuse('a number');
      return;
    case 'count':
      if (!Number.isInteger(value) || (value as number) < 0) throw refuse('a whole number from 0 on');
      return;
    case 'flag':
      if (typeof value !== 'boolean') throw refuse('true or false');
      return;
    case 'list':
      if (!Array.isArray(value) || value.length === 0) throw refuse('a list');
      return;
    case 'type': {
      const types = Array.isArray(value) ? value : [value];
      if (types.length === 0 || !types.every((type) => typeNames.has(type as string))) {
        throw refuse(`one or more of ${[...typeNames].join(', ')}`);
      }
      return;
    }
    case 'text':
      if (typeof value !== 'string') throw refuse('a text');
      if (name === '$ref' && !/^#(\/|$)/.test(value))
        throw refuse('a pointer into the same schema, such as #/$defs/name');
      return;
    case 'pattern':
      readPattern(value, at);
  }
}

function readPattern(source: unknown, at: string): void {
  if (typeof source !== 'string') throw new SchemaRefused(at, 'a pattern must be a text');
  try {
    createLinearRegexp(source);
  } catch (error) {
    throw new SchemaRefused(at, (error as Error).message);
  }
}

/** What a reference leads to; undefined when there is nothing. */
export function resolveReference(root: unknown, reference: string): unknown {
  let place: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeStep(step);
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = (place as Record<string, unknown>)[name];
  }
  return place;
}

/** References that lead back without going into the value first would never end. */
function refuseCircle(root: unknown, from: object, pointer: string): void {
  const open: unknown[] = [from];
  const visited = new Set<unknown>();
  while (open.length > 0) {
    const schema = open.pop();
    if (!isObject(schema) || visited.has(schema)) continue;
    visited.add(schema);
    for (const next of sameValueSchemas(root, schema, pointer)) {
      if (next === from) throw new SchemaRefused(pointer, 'the schema refers to itself in a circle');
      open.push(next);
    }
  }
}

function sameValueSchemas(root: unknown, schema: Record<string, unknown>, pointer: string): unknown[] {
  const next: unknown[] = [];
  if (typeof schema.$ref === 'string') {
    const target = resolveReference(root, schema.$ref);
    if (typeof target !== 'boolean' && !isObject(target)) {
      throw new SchemaRefused(pointer, `${schema.$ref.slice(0, 100)} leads to no schema`);
    }
    next.push(target);
  }
  for (const name of ['allOf', 'anyOf', 'oneOf'])
    if (Array.isArray(schema[name])) next.push(...(schema[name] as unknown[]));
  for (const name of ['not', 'if', 'then', 'else']) next.push(schema[name]);
  if (isObject(schema.dependentSchemas)) next.push(...Object.values(schema.dependentSchemas));
  return next;
}

const isNames = (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === 'string');

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const escapeStep = (step: string) => step.replaceAll('~', '~0').replaceAll('/', '~1');

function decodeStep(step: string): string {
  let plain = step;
  try {
    plain = decodeURIComponent(step);
  } catch {
    // Not encoded: taken as it is written.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}
