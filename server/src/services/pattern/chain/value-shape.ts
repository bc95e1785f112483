import { resolveReference } from '#platform/user-schema/schema-pointer.ts';
import { quoteText } from '../library/quote-text.ts';
import { nameClosest } from '../yaml/name-closest.ts';
import type { DataPath } from './chain-plan.ts';
import type { Fault } from './parse-reference.ts';

type Schema = Readonly<Record<string, unknown>> | true;

/** What is known of a value before there is one: it is as one of these schemas says. */
export interface Shape {
  readonly alternatives: readonly Schema[];
  /** Where their references lead. */
  readonly root: unknown;
  /** A text that a person or a model writes, for messages. */
  readonly freeText?: string;
}

const alternativesAllowed = 200;

export const anything: Shape = { alternatives: [true], root: true };
export const textShape = (freeText: string): Shape => ({ alternatives: [{ type: 'string' }], root: true, freeText });
export const schemaShape = (schema: unknown): Shape => ({ alternatives: [schema as Schema], root: schema });
export const listOf = ({ alternatives, root }: Shape): Shape => ({
  alternatives: alternatives.map((items) => ({ type: 'array', items })),
  root,
});

/** What is at the end of a path, or why nothing can be there. */
export function shapeAt(shape: Shape, path: DataPath): Shape | Fault {
  let at = shape;
  for (const key of path) {
    const next = expand(at).flatMap((schema) => inside(schema, key));
    if (next.length === 0) return { fault: faultOf(at, key) };
    at = { alternatives: next.slice(0, alternativesAllowed), root: at.root };
  }
  return at;
}

/** What each entry of a list is, or why it is no list. */
export function entryShape(shape: Shape): Shape | Fault {
  const lists = expand(shape).filter((schema) => schema === true || may(schema, 'array'));
  if (lists.length === 0) return { fault: shape.freeText ? `is ${shape.freeText}` : 'is no list by its schema' };
  const entries = lists.flatMap((schema) => (schema === true ? [true as const] : entriesOf(schema)));
  return { alternatives: entries.slice(0, alternativesAllowed), root: shape.root };
}

/** The schemas themselves, with references followed and choices taken apart. */
export function expand({ alternatives, root }: Shape): readonly Schema[] {
  const found: Schema[] = [];
  const open = [...alternatives];
  for (let schema = open.shift(); schema !== undefined && found.length < alternativesAllowed; schema = open.shift()) {
    if (typeof schema !== 'object') {
      if (schema) found.push(true);
      continue;
    }
    const { $ref, anyOf, oneOf, allOf } = schema;
    const choices = [anyOf, oneOf, allOf].filter(Array.isArray).flat() as Schema[];
    const target = typeof $ref === 'string' ? resolveReference(root, $ref) : undefined;
    open.push(...choices, ...(target === undefined ? [] : [target as Schema]));
    if (open.length > alternativesAllowed) return [true];
    const own = ['type', 'properties', 'items', 'enum', 'const', 'additionalProperties'].some((key) => key in schema);
    if (own || (choices.length === 0 && target === undefined)) found.push(schema);
  }
  return found;
}

/** Whether a value of this type fits the schema, as far as `type` tells. */
export function may(schema: Schema, type: string): boolean {
  if (schema === true) return true;
  if (schema.type === undefined) return schema.enum === undefined && schema.const === undefined;
  return Array.isArray(schema.type) ? schema.type.includes(type) : schema.type === type;
}

function inside(schema: Schema, key: string | number): readonly Schema[] {
  if (schema === true) return [true];
  if (typeof key === 'number') return may(schema, 'array') ? entriesOf(schema, key) : [];
  if (!may(schema, 'object')) return [];
  const { properties, additionalProperties, patternProperties } = schema;
  const fields = (properties ?? {}) as Readonly<Record<string, Schema>>;
  if (Object.hasOwn(fields, key)) return [fields[key] as Schema];
  if (additionalProperties === false && !patternProperties) return [];
  if (typeof additionalProperties === 'object') return [additionalProperties as Schema];
  return properties === undefined || additionalProperties === true || patternProperties ? [true] : [];
}

function entriesOf(schema: Exclude<Schema, true>, index?: number): readonly Schema[] {
  const { items, prefixItems } = schema;
  const first = (prefixItems ?? (Array.isArray(items) ? items : [])) as readonly Schema[];
  if (index !== undefined && first[index] !== undefined) return [first[index]];
  const rest = items === undefined || Array.isArray(items) ? true : (items as Schema | false);
  const all = rest === false ? [] : [rest];
  return index === undefined ? [...first, ...all] : all;
}

function faultOf(shape: Shape, key: string | number): string {
  if (shape.freeText) return `goes into ${shape.freeText}, which has no parts`;
  if (typeof key === 'number') return `takes entry ${key} of what is no list by its schema`;
  const fields = expand(shape).flatMap((schema) => (schema === true ? [] : Object.keys(schema.properties ?? {})));
  const known = [...new Set(fields)];
  const list = known.length === 0 ? '' : `. It has ${known.slice(0, 20).join(', ')}`;
  const few = known.slice(0, 100).filter((name) => name.length <= 100);
  return `takes ${quoteText(key, 60)} of what has no such field by its schema${nameClosest(key, few)}${list}`;
}
