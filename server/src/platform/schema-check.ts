import type { Operation } from '@damask/contracts/operation.ts';
import { pointTo } from './json-reader.ts';
import {
  type Check,
  type Checker,
  type CheckProblem,
  here,
  type Keywords,
  literalChecker,
  numberChecker,
  numberKeywords,
  numberOf,
  stringChecker,
  stringKeywords,
} from './scalar-check.ts';

export type { Check, CheckProblem } from './scalar-check.ts';

export interface CheckOptions {
  /** Refuse unknown keys also where the schema is silent; for answers in tests. */
  readonly closed?: boolean;
}

const longestKey = 200;
const anything: Checker = { check: () => null, says: 'anything' };
const annotations = new Set(['title', 'description', 'default', 'examples', 'deprecated']);

/**
 * Turns a contract's schema into closures; done once, at start. Reads own keys of plain objects only. Throws on a
 * keyword that it does not know: a rule that is silently skipped would be a hole.
 */
export function buildCheck(schema: Operation['output'], options: CheckOptions = {}): Check {
  return build(schema as unknown as Keywords, options.closed === true).check;
}

function build(keywords: Keywords, closed: boolean): Checker {
  if (keywords.anyOf !== undefined) {
    allow(keywords, ['anyOf']);
    return unionChecker(keywords.anyOf as Keywords[], closed);
  }
  if ('const' in keywords) {
    allow(keywords, ['const', 'type']);
    return literalChecker([keywords.const]);
  }
  switch (keywords.type) {
    case 'string':
      allow(keywords, ['type', ...stringKeywords]);
      return stringChecker(keywords);
    case 'integer':
    case 'number':
      allow(keywords, ['type', ...numberKeywords]);
      return numberChecker(keywords, keywords.type === 'integer');
    case 'boolean':
      allow(keywords, ['type']);
      return {
        check: (value) => (typeof value === 'boolean' ? null : here('must be true or false')),
        says: 'true or false',
      };
    case 'null':
      allow(keywords, ['type']);
      return { check: (value) => (value === null ? null : here('must be null')), says: 'null' };
    case 'array':
      allow(keywords, ['type', 'items', 'minItems', 'maxItems']);
      return arrayChecker(keywords, closed);
    case 'object':
      allow(keywords, [
        'type',
        'properties',
        'required',
        'additionalProperties',
        'patternProperties',
        'minProperties',
        'maxProperties',
      ]);
      return keywords.patternProperties === undefined
        ? objectChecker(keywords, closed)
        : recordChecker(keywords, closed);
    case undefined:
      allow(keywords, []);
      return anything;
    default:
      throw new Error(`the type ${JSON.stringify(keywords.type)} is not known here`);
  }
}

function allow(keywords: Keywords, known: readonly string[]): void {
  const unknown = Object.keys(keywords).find((name) => !known.includes(name) && !annotations.has(name));
  if (unknown !== undefined) throw new Error(`the keyword ${unknown} is not known here (${JSON.stringify(keywords)})`);
}

function inside(key: string | number, problem: CheckProblem): CheckProblem {
  const step = typeof key === 'string' && key.length > longestKey ? `${key.slice(0, longestKey)}...` : key;
  return { pointer: pointTo('', step) + problem.pointer, detail: problem.detail };
}

// Only what JSON can say: an instance of a class could answer for keys that it does not own.
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function objectChecker(keywords: Keywords, closed: boolean): Checker {
  const fields = new Map<string, { readonly check: Check; readonly required: boolean }>();
  const required = (keywords.required ?? []) as readonly string[];
  const properties = (keywords.properties ?? {}) as Record<string, Keywords>;
  const unnamed = required.find((name) => !Object.hasOwn(properties, name));
  if (unnamed !== undefined) throw new Error(`${unnamed} is required but is no property in a schema`);
  for (const [name, schema] of Object.entries(properties)) {
    fields.set(name, { check: build(schema, closed).check, required: required.includes(name) });
  }
  const rest = keywords.additionalProperties;
  if (rest !== undefined && typeof rest !== 'boolean')
    throw new Error('additionalProperties must be true or false here');
  const open = rest ?? !closed;
  const names = fields.size === 0 ? 'no fields are allowed' : `fields are: ${[...fields.keys()].join(', ')}`;
  const { tooFew, tooMany } = sizeBounds(keywords);

  const check: Check = (value) => {
    if (!isPlain(value)) return here('must be an object');
    let found = 0;
    let size = 0;
    for (const key in value) {
      const item = value[key];
      // An undefined field is an absent one: JSON would drop it.
      if (item === undefined) continue;
      size += 1;
      const field = fields.get(key);
      if (field === undefined) {
        if (open) continue;
        return inside(key, here(`is not a field here; ${names}`));
      }
      const problem = field.check(item);
      if (problem !== null) return inside(key, problem);
      if (field.required) found += 1;
    }
    if (found < required.length) return missing(value, required);
    return size < tooFew || size > tooMany ? here(`must have from ${tooFew} to ${tooMany} fields`) : null;
  };
  return { check, says: 'an object' };
}

function missing(value: Record<string, unknown>, required: readonly string[]): CheckProblem {
  const name = required.find((field) => !Object.hasOwn(value, field) || value[field] === undefined) ?? '';
  return inside(name, here('is required'));
}

function sizeBounds(keywords: Keywords): { tooFew: number; tooMany: number } {
  return {
    tooFew: numberOf(keywords, 'minProperties') ?? 0,
    tooMany: numberOf(keywords, 'maxProperties') ?? Number.POSITIVE_INFINITY,
  };
}

/** An object with any keys of one shape. A key that does not match is refused, which JSON Schema alone would not do. */
function recordChecker(keywords: Keywords, closed: boolean): Checker {
  const [entry, ...more] = Object.entries(keywords.patternProperties as Record<string, Keywords>);
  const plain = keywords.properties === undefined && keywords.required === undefined && !keywords.additionalProperties;
  if (entry === undefined || more.length > 0 || !plain) {
    throw new Error('a record has exactly one key pattern and no named fields here');
  }
  const [source, schema] = entry;
  // TypeBox's pattern of a plain string key, which would refuse a line break.
  const pattern = source === '^.*$' ? /^/ : new RegExp(source, 'u');
  const item = build(schema, closed);
  const { tooFew, tooMany } = sizeBounds(keywords);

  const check: Check = (value) => {
    if (!isPlain(value)) return here('must be an object');
    let size = 0;
    for (const key in value) {
      size += 1;
      if (size > tooMany) return here(`must have at most ${tooMany} keys`);
      if (!pattern.test(key)) return inside(key, here(`is not an allowed key; keys must match ${source}`));
      const problem = item.check(value[key]);
      if (problem !== null) return inside(key, problem);
    }
    return size < tooFew ? here(`must have at least ${tooFew} keys`) : null;
  };
  return { check, says: 'an object' };
}

function arrayChecker(keywords: Keywords, closed: boolean): Checker {
  const items = keywords.items as Keywords | undefined;
  if (Array.isArray(items)) throw new Error('tuples are not known here');
  const item = items === undefined ? anything : build(items, closed);
  const least = numberOf(keywords, 'minItems') ?? 0;
  const most = numberOf(keywords, 'maxItems') ?? Number.POSITIVE_INFINITY;

  const check: Check = (value) => {
    if (!Array.isArray(value)) return here('must be an array');
    if (value.length < least) return here(least === 1 ? 'must not be empty' : `must have at least ${least} items`);
    if (value.length > most) return here(`must have at most ${most} items`);
    for (let i = 0; i < value.length; i++) {
      const problem = item.check(value[i]);
      if (problem !== null) return inside(i, problem);
    }
    return null;
  };
  return { check, says: 'an array' };
}

function unionChecker(schemas: readonly Keywords[], closed: boolean): Checker {
  if (schemas.every((schema) => 'const' in schema)) {
    for (const schema of schemas) allow(schema, ['const', 'type']);
    return literalChecker(schemas.map((schema) => schema.const));
  }
  const branches = schemas.map((schema) => build(schema, closed));
  const says = branches.map((branch) => branch.says).join(' or ');
  const [only, ...others] = branches.filter((branch) => branch.says !== 'null');

  const check: Check = (value) => {
    for (const branch of branches) if (branch.check(value) === null) return null;
    // With one branch beside null, what it finds inside the value tells more than the list does.
    const problem = others.length === 0 ? (only?.check(value) ?? null) : null;
    if (problem === null || (problem.pointer === '' && problem.detail === `must be ${only?.says}`)) {
      return here(`must be ${says}`);
    }
    return problem;
  };
  return { check, says };
}
