import { resolveReference } from '#platform/user-schema/schema-pointer.ts';
import { nameClosest } from './name-closest.ts';
import { faultOfKeyword, faultOfPattern, type KeywordKind, schemaKeywords } from './schema-keywords.ts';

/** What is wrong in a schema of an author, and where: a JSON pointer into the schema. */
export interface SchemaFault {
  readonly pointer: string;
  readonly detail: string;
}

type Fields = Readonly<Record<string, unknown>>;

interface Visit {
  readonly root: unknown;
  places: number;
  patterns: number;
  fault: SchemaFault | undefined;
  /** Every schema that was visited. */
  readonly seen: Set<object>;
  /** From the schema that holds a `$ref` to the one that it names. */
  readonly references: Map<object, { readonly target: object; readonly pointer: string }>;
}

/** Where a keyword's value stands. */
interface Place {
  readonly pointer: string;
  readonly depth: number;
  readonly holder: object;
  readonly keyword: string;
}

const depthAllowed = 32;
const placesAllowed = 5000;
const referencesAllowed = 500;
const patternsAllowed = 100;
// What somebody would go through who writes every reference out: checking a value can cost that much.
const placesWrittenOut = 20_000;
const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
const dialects = ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema'];

/**
 * The first thing that keeps a JSON Schema (2020-12 or draft 7) from being used here, or undefined. Nothing is fetched, compiled or
 * followed without a bound: `$ref` leads to a place of the same schema and never back to itself.
 */
export function faultOfJsonSchema(schema: unknown): SchemaFault | undefined {
  const visit: Visit = {
    root: schema,
    places: 0,
    patterns: 0,
    fault: undefined,
    seen: new Set(),
    references: new Map(),
  };
  visitSchema(visit, schema, '', 1);
  for (const { target, pointer } of visit.references.values()) {
    if (!visit.seen.has(target)) refuse(visit, pointer, 'leads to no schema');
  }
  return visit.fault ?? faultOfReferences(visit);
}

function refuse(visit: Visit, pointer: string, detail: string): void {
  visit.fault ??= { pointer, detail };
}

function visitSchema(visit: Visit, value: unknown, pointer: string, depth: number): void {
  if (visit.fault || typeof value === 'boolean') return;
  if (!isMapping(value)) refuse(visit, pointer, 'must be a schema: a mapping, true or false');
  else if (++visit.places > placesAllowed) refuse(visit, pointer, `more than ${placesAllowed} schemas in one`);
  else if (depth > depthAllowed) refuse(visit, pointer, `nested more than ${depthAllowed} levels deep`);
  else {
    visit.seen.add(value);
    for (const [keyword, inner] of Object.entries(value)) {
      const place = { pointer: `${pointer}/${inPointer(keyword)}`, depth, holder: value, keyword };
      const kind = schemaKeywords.get(keyword);
      if (kind) checks[kind](visit, inner, place);
      else if (!keyword.startsWith('x-')) refuse(visit, place.pointer, faultOfKeyword(keyword));
    }
  }
}

const checks: Readonly<Record<KeywordKind, (visit: Visit, value: unknown, place: Place) => void>> = {
  schema(visit, value, { pointer, depth }) {
    visitSchema(visit, value, pointer, depth + 1);
  },
  schemas(visit, value, { pointer, depth }) {
    if (!Array.isArray(value) || value.length === 0) refuse(visit, pointer, 'must be a list of schemas');
    else for (const [index, item] of value.entries()) visitSchema(visit, item, `${pointer}/${index}`, depth + 1);
  },
  byName(visit, value, { pointer, depth, keyword }) {
    if (!isMapping(value)) refuse(visit, pointer, 'must be a mapping from names to schemas');
    else
      for (const [name, item] of Object.entries(value)) {
        if (name === '__proto__') refuse(visit, pointer, 'must not hold the name __proto__');
        if (keyword === 'patternProperties') checkPattern(visit, name, pointer);
        visitSchema(visit, item, `${pointer}/${inPointer(name)}`, depth + 1);
      }
  },
  items(visit, value, place) {
    checks[Array.isArray(value) ? 'schemas' : 'schema'](visit, value, place);
  },
  texts(visit, value, { pointer }) {
    if (!Array.isArray(value) || value.some((item) => typeof item !== 'string'))
      refuse(visit, pointer, 'must be a list of texts');
  },
  count(visit, value, { pointer }) {
    if (!Number.isSafeInteger(value) || (value as number) < 0) refuse(visit, pointer, 'must be a whole number from 0');
  },
  number(visit, value, { pointer, keyword }) {
    if (typeof value !== 'number') refuse(visit, pointer, 'must be a number');
    else if (keyword === 'multipleOf' && value <= 0) refuse(visit, pointer, 'must be above 0');
  },
  text(visit, value, { pointer }) {
    if (typeof value !== 'string') refuse(visit, pointer, 'must be a text');
  },
  flag(visit, value, { pointer }) {
    if (typeof value !== 'boolean') refuse(visit, pointer, 'must be true or false');
  },
  any() {},
  $schema(visit, value, { pointer }) {
    if (typeof value === 'string' && dialects.includes(value.replace(/#$/, ''))) return;
    refuse(visit, pointer, `must be ${dialects[0]}, or be left out`);
  },
  $ref(visit, value, { pointer, holder }) {
    if (typeof value !== 'string' || value.length > 500 || !/^#(?:\/|$)/.test(value)) {
      const rule = '$ref must name a place of the same schema, such as #/$defs/name; nothing else is read';
      refuse(visit, pointer, rule);
      return;
    }
    const target = resolveReference(visit.root, value);
    if (isMapping(target)) visit.references.set(holder, { target, pointer });
    else if (typeof target !== 'boolean') refuse(visit, pointer, 'leads to no schema');
    if (visit.references.size > referencesAllowed) refuse(visit, pointer, `more than ${referencesAllowed} $ref`);
  },
  type(visit, value, { pointer }) {
    const named: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = named.length === 0 ? '' : named.find((name) => !types.includes(name as string));
    if (wrong === undefined) return;
    refuse(visit, pointer, `must be ${types.join(', ')}, or a list of them${nameClosest(String(wrong), types)}`);
  },
  enum(visit, value, { pointer }) {
    if (!Array.isArray(value) || value.length === 0 || value.length > 500)
      refuse(visit, pointer, 'must list 1 to 500 values');
  },
  pattern(visit, value, { pointer }) {
    checkPattern(visit, value, pointer);
  },
};

function checkPattern(visit: Visit, value: unknown, pointer: string): void {
  const fault =
    ++visit.patterns > patternsAllowed ? `more than ${patternsAllowed} patterns in one schema` : faultOfPattern(value);
  if (fault !== undefined) refuse(visit, pointer, fault);
}

/** Circles, and references to references to references that written out would have no end. */
function faultOfReferences({ root, references }: Visit): SchemaFault | undefined {
  if (references.size === 0 || !isMapping(root)) return undefined;
  const sizes = new Map<object, number>();
  const open = new Set<object>();
  const measure = (value: object): number => {
    const known = sizes.get(value);
    if (known !== undefined) return known;
    if (open.has(value)) return Number.NaN;
    open.add(value);
    let size = 1;
    for (const inner of Object.values(value)) if (isNested(inner)) size += measure(inner);
    const target = references.get(value)?.target;
    if (target) size += measure(target);
    open.delete(value);
    sizes.set(value, size);
    return size;
  };
  const size = measure(root);
  if (Number.isNaN(size)) {
    return { pointer: '', detail: 'a $ref leads back to itself; write the levels out, as deep as they are needed' };
  }
  if (size <= placesWrittenOut) return undefined;
  return { pointer: '', detail: `with every $ref written out it holds more than ${placesWrittenOut} places` };
}

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isMapping = (value: unknown): value is Fields => isNested(value) && !Array.isArray(value);
const inPointer = (name: string) => name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
