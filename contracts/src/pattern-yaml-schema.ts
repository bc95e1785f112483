import { PatternYaml } from './pattern-yaml.ts';

/** JSON Schema 2020-12 of pattern.yaml, for editors. Made from the fields that the server itself reads by. */
export function patternYamlSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'pattern.yaml of Damask',
    description: 'What Damask should know about a pattern. Every key may be left out.',
    ...(plain(PatternYaml) as Record<string, unknown>),
  };
}

// `lines`, `json` and `named` are for the reader of YAML. Names beside those of a pattern are refused, which editors must be told.
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema)
    .filter(([keyword]) => !['lines', 'json', 'named'].includes(keyword))
    .map(([keyword, value]) => [keyword, plain(value)] as const);
  const closed = 'patternProperties' in schema ? [['additionalProperties', false] as const] : [];
  return Object.fromEntries([...entries, ...closed]);
}
