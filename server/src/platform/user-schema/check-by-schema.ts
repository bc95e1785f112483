import { canonical } from './canonical.ts';
import { scalarProblem, typeOf } from './check-scalar.ts';
import { createLinearRegexp, type LinearRegexp } from './linear-regexp.ts';
import { escapeStep, resolveReference } from './schema-pointer.ts';

/** A JSON Schema (2020-12, or draft 7) of a stranger, as it came out of JSON and was judged when it was published. */
export type UserSchema = boolean | Readonly<Record<string, unknown>>;

export interface ValueProblem {
  /** JSON pointer into the value. */
  readonly pointer: string;
  readonly detail: string;
}

/** What is told of a value that does not fit; more would not help. */
const mostProblems = 10;
const mostSteps = 300_000;
const deepest = 200;

interface Work {
  readonly root: unknown;
  steps: number;
}

type Found = ValueProblem[] | null;

/**
 * Checks a value out of JSON against a schema: an interpreter, nothing is generated. Answers what does not fit, at most ten.
 * Throws a plain Error when the check takes too much, or a pattern cannot be run.
 */
export function checkBySchema(schema: UserSchema, value: unknown): ValueProblem[] {
  const found: ValueProblem[] = [];
  visit({ root: schema, steps: 0 }, schema, value, '', 0, found);
  return found;
}

/** True when the value fits. `found`: where to note why not; null to know only whether. */
function visit(work: Work, schema: unknown, value: unknown, pointer: string, depth: number, found: Found): boolean {
  work.steps += 1;
  if (work.steps > mostSteps || depth > deepest)
    throw new Error('checking the value against its schema takes too much');
  if (schema === true || schema === undefined) return true;
  if (schema === false) return tell(found, pointer, 'must not be there');
  const given = schema as Record<string, unknown>;
  let fits = true;
  const also = (fit: boolean) => {
    fits = fit && fits;
    return found === null || found.length < mostProblems;
  };
  if (typeof given.$ref === 'string') {
    const target = resolveReference(work.root, given.$ref);
    if (!also(visit(work, target, value, pointer, depth + 1, found))) return fits;
  }
  const scalar = scalarProblem(given, value, patternOf);
  if (scalar !== null) return tell(found, pointer, scalar);
  if (isObject(value)) also(visitObject(work, given, value, pointer, depth, found));
  else if (Array.isArray(value)) also(visitArray(work, given, value, pointer, depth, found));
  return visitChoices(work, given, value, pointer, depth, found) && fits;
}

function visitObject(
  work: Work,
  schema: Record<string, unknown>,
  value: Record<string, unknown>,
  pointer: string,
  depth: number,
  found: Found,
): boolean {
  let fits = true;
  const names = Object.keys(value);
  const { minProperties, maxProperties, propertyNames, additionalProperties } = schema;
  for (const name of (schema.required ?? []) as string[]) {
    if (!Object.hasOwn(value, name)) fits = tell(found, `${pointer}/${escapeStep(name)}`, 'is required');
  }
  if (typeof minProperties === 'number' && names.length < minProperties)
    fits = tell(found, pointer, `must have at least ${minProperties} fields`);
  if (typeof maxProperties === 'number' && names.length > maxProperties)
    fits = tell(found, pointer, `must have at most ${maxProperties} fields`);
  const properties = (schema.properties ?? {}) as Record<string, unknown>;
  const patterns = Object.entries((schema.patternProperties ?? {}) as Record<string, unknown>);
  for (const name of names) {
    const at = `${pointer}/${escapeStep(name)}`;
    let known = false;
    const into = (inner: unknown) => {
      known = true;
      if (!visit(work, inner, value[name], at, depth + 1, found)) fits = false;
    };
    if (Object.hasOwn(properties, name)) into(properties[name]);
    for (const [source, inner] of patterns) if (patternOf(source).test(name)) into(inner);
    if (!known && additionalProperties === false) {
      fits = tell(found, at, `is not a field here; fields are: ${Object.keys(properties).slice(0, 30).join(', ')}`);
    } else if (!known && additionalProperties !== undefined) into(additionalProperties);
    if (propertyNames !== undefined && !visit(work, propertyNames, name, at, depth + 1, null)) {
      fits = tell(found, at, 'has a name that is not allowed');
    }
  }
  for (const [name, needed] of Object.entries((schema.dependentRequired ?? {}) as Record<string, string[]>)) {
    if (!Object.hasOwn(value, name)) continue;
    for (const other of needed) {
      if (!Object.hasOwn(value, other))
        fits = tell(found, `${pointer}/${escapeStep(other)}`, `is required beside ${name}`);
    }
  }
  for (const [name, inner] of Object.entries((schema.dependentSchemas ?? {}) as Record<string, unknown>)) {
    if (Object.hasOwn(value, name) && !visit(work, inner, value, pointer, depth + 1, found)) fits = false;
  }
  return fits;
}

function visitArray(
  work: Work,
  schema: Record<string, unknown>,
  value: readonly unknown[],
  pointer: string,
  depth: number,
  found: Found,
): boolean {
  let fits = true;
  const { minItems, maxItems, items, contains } = schema;
  if (typeof minItems === 'number' && value.length < minItems)
    fits = tell(found, pointer, `must have at least ${minItems} items`);
  if (typeof maxItems === 'number' && value.length > maxItems)
    fits = tell(found, pointer, `must have at most ${maxItems} items`);
  // Draft 7 has a list under items where the later one has prefixItems.
  const first = (Array.isArray(items) ? items : (schema.prefixItems ?? [])) as unknown[];
  const others = Array.isArray(items) ? undefined : items;
  for (const [index, item] of value.entries()) {
    const inner = index < first.length ? first[index] : others;
    if (inner !== undefined && !visit(work, inner, item, `${pointer}/${index}`, depth + 1, found)) fits = false;
  }
  if (contains !== undefined) {
    const count = value.filter((item) => visit(work, contains, item, pointer, depth + 1, null)).length;
    const least = (schema.minContains ?? 1) as number;
    const most = (schema.maxContains ?? Number.POSITIVE_INFINITY) as number;
    if (count < least || count > most)
      fits = tell(found, pointer, `has ${count} items of the kind of which it needs ${least}`);
  }
  if (schema.uniqueItems === true && new Set(value.map(canonical)).size < value.length) {
    fits = tell(found, pointer, 'must not hold the same item twice');
  }
  return fits;
}

function visitChoices(
  work: Work,
  schema: Record<string, unknown>,
  value: unknown,
  pointer: string,
  depth: number,
  found: Found,
): boolean {
  let fits = true;
  const whether = (inner: unknown) => visit(work, inner, value, pointer, depth + 1, null);
  for (const inner of (schema.allOf ?? []) as unknown[]) {
    if (!visit(work, inner, value, pointer, depth + 1, found)) fits = false;
  }
  const { anyOf, oneOf, not } = schema as { anyOf?: unknown[]; oneOf?: unknown[]; not?: unknown };
  if (anyOf && !anyOf.some(whether)) {
    // What the only choice of the value's type finds inside tells more than that none fits.
    const near = anyOf.filter((inner) => isObject(inner) && typeOf(value, inner.type));
    if (near.length === 1) fits = visit(work, near[0], value, pointer, depth + 1, found);
    else fits = tell(found, pointer, `fits none of the ${anyOf.length} choices`);
  }
  if (oneOf) {
    const count = oneOf.filter(whether).length;
    if (count !== 1)
      fits = tell(found, pointer, `fits ${count} of the ${oneOf.length} choices; it must fit exactly one`);
  }
  if (not !== undefined && whether(not)) fits = tell(found, pointer, 'is what the schema excludes');
  if (schema.if !== undefined) {
    const branch = whether(schema.if) ? schema.then : schema.else;
    if (!visit(work, branch, value, pointer, depth + 1, found)) fits = false;
  }
  return fits;
}

function tell(found: Found, pointer: string, detail: string): false {
  if (found !== null && found.length < mostProblems)
    found.push({ pointer: pointer.slice(0, 500), detail: detail.slice(0, 500) });
  return false;
}

const patterns = new Map<string, LinearRegexp>();
const mostPatterns = 500;

function patternOf(source: string): LinearRegexp {
  const known = patterns.get(source);
  if (known) return known;
  const made = createLinearRegexp(source);
  if (patterns.size >= mostPatterns) patterns.clear();
  patterns.set(source, made);
  return made;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
