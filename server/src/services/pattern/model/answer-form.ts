import type { ModelMessage, OutputForm } from './model-call.ts';

/** Tells the form in words, for vendors that cannot be held to it; some also want it beside their own way. */
export function withFormInstruction(messages: readonly ModelMessage[], output: OutputForm): readonly ModelMessage[] {
  const text = output.schema
    ? `Answer with one JSON value and nothing else: no explanation, no code fence. It must be valid against this JSON Schema:\n${JSON.stringify(output.schema)}`
    : 'Answer with one JSON value and nothing else: no explanation, no code fence.';
  const at = messages.findLastIndex((message) => message.role === 'system');
  const before = messages[at];
  if (before === undefined) return [{ role: 'system', content: text }, ...messages];
  const content =
    typeof before.content === 'string'
      ? `${before.content}\n\n${text}`
      : [...before.content, { type: 'text' as const, text }];
  return messages.with(at, { ...before, content });
}

type Schema = Readonly<Record<string, unknown>>;

const strictOnes = new WeakMap<object, boolean>();

/** Whether a vendor's strict mode takes the schema: every object is closed and every property required. */
export function isStrictSchema(schema: object): boolean {
  const known = strictOnes.get(schema);
  if (known !== undefined) return known;
  const strict = (schema as Schema).type === 'object' && isStrict(schema, 0);
  strictOnes.set(schema, strict);
  return strict;
}

// What strict modes take at all; anything else makes them refuse the whole request.
const strictKeywords = new Set(
  'type properties required additionalProperties items enum const anyOf $ref $defs definitions title description minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems pattern format'.split(
    ' ',
  ),
);
const deepest = 10;

function isStrict(schema: unknown, depth: number): boolean {
  if (typeof schema !== 'object' || schema === null || depth > deepest) return false;
  const given = schema as Schema;
  if (Object.keys(given).some((keyword) => !strictKeywords.has(keyword))) return false;
  if (given.format !== undefined && (given.format === 'uri' || !keptFormats.has(given.format as string))) return false;
  if (given.type === 'object' || given.properties !== undefined) {
    const names = Object.keys((given.properties ?? {}) as object);
    const required = new Set(given.required as readonly string[] | undefined);
    if (given.additionalProperties !== false || names.some((name) => !required.has(name))) return false;
  }
  return innerSchemas(given).every((inner) => isStrict(inner, depth + 1));
}

function innerSchemas(schema: Schema): unknown[] {
  const maps = [schema.properties, schema.$defs, schema.definitions].filter(
    (map) => typeof map === 'object' && map !== null,
  );
  return [
    ...maps.flatMap((map) => Object.values(map as object)),
    ...(Array.isArray(schema.anyOf) ? schema.anyOf : []),
    ...(schema.items === undefined ? [] : [schema.items]),
  ];
}

const closedOnes = new WeakMap<object, object | null>();

/**
 * The schema with every object closed and without bounds, as Anthropic takes it; null when that would forbid what the
 * schema allows. The answer is checked against the whole schema here, so what is left out is not lost.
 */
export function toClosedSchema(schema: object): object | null {
  const known = closedOnes.get(schema);
  if (known !== undefined) return known;
  let closed: object | null;
  try {
    closed = (schema as Schema).type === 'object' ? (close(schema, 0) as object) : null;
  } catch (error) {
    if (!(error instanceof OpenObject)) throw error;
    closed = null;
  }
  closedOnes.set(schema, closed);
  return closed;
}

class OpenObject extends Error {}

const kept = 'type enum const required title description $ref default format'.split(' ');
const keptFormats = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

function close(schema: unknown, depth: number): unknown {
  if (typeof schema !== 'object' || schema === null || depth > deepest) throw new OpenObject();
  const given = schema as Schema;
  const closed: Record<string, unknown> = {};
  for (const keyword of kept) if (given[keyword] !== undefined) closed[keyword] = given[keyword];
  if (!keptFormats.has(String(closed.format))) delete closed.format;
  for (const keyword of ['properties', '$defs', 'definitions']) {
    const map = given[keyword];
    if (typeof map !== 'object' || map === null) continue;
    closed[keyword] = Object.fromEntries(Object.entries(map).map(([name, inner]) => [name, close(inner, depth + 1)]));
  }
  const choices = given.anyOf ?? given.oneOf;
  if (Array.isArray(choices)) closed.anyOf = choices.map((inner) => close(inner, depth + 1));
  if (Array.isArray(given.allOf)) closed.allOf = given.allOf.map((inner) => close(inner, depth + 1));
  if (given.items !== undefined) closed.items = close(given.items, depth + 1);
  if (closed.type === 'object' || closed.properties !== undefined) {
    const open = given.additionalProperties;
    if (
      given.properties === undefined ||
      given.patternProperties !== undefined ||
      (open !== undefined && open !== false)
    ) {
      throw new OpenObject();
    }
    closed.additionalProperties = false;
  }
  return closed;
}
