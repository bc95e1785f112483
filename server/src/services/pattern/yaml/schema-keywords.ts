import { createLinearRegexp } from '#platform/user-schema/linear-regexp.ts';
import { quoteText } from '../library/quote-text.ts';
import { nameClosest } from './name-closest.ts';

export type KeywordKind =
  | 'schema'
  | 'schemas'
  | 'byName'
  | 'items'
  | 'texts'
  | 'count'
  | 'number'
  | 'text'
  | 'flag'
  | 'any'
  | '$schema'
  | '$ref'
  | 'type'
  | 'enum'
  | 'pattern';

const groups: Readonly<Record<KeywordKind, string>> = {
  schema: 'additionalProperties propertyNames contains not if then else',
  schemas: 'prefixItems allOf anyOf oneOf',
  byName: '$defs definitions properties patternProperties',
  items: 'items',
  texts: 'required',
  count: 'minProperties maxProperties minContains maxContains minItems maxItems minLength maxLength',
  number: 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf',
  text: '$comment title description format',
  flag: 'deprecated readOnly writeOnly uniqueItems',
  any: 'default examples const',
  $schema: '$schema',
  $ref: '$ref',
  type: 'type',
  enum: 'enum',
  pattern: 'pattern',
};

/** The keywords of JSON Schema that are read, with the kind of their value. */
export const schemaKeywords: ReadonlyMap<string, KeywordKind> = new Map(
  Object.entries(groups).flatMap(([kind, words]) => words.split(' ').map((word) => [word, kind as KeywordKind])),
);

/** Why a keyword is refused. */
export function faultOfKeyword(keyword: string): string {
  if (/^\$(?:id|anchor|dynamicRef|dynamicAnchor|recursiveRef|recursiveAnchor|vocabulary|data)$/.test(keyword)) {
    return `${keyword} is not read; name places with #/$defs/name`;
  }
  const hint = nameClosest(keyword, [...schemaKeywords.keys()]);
  return `${quoteText(keyword, 60)} is not a keyword of JSON Schema that is read here${hint}`;
}

const patternAllowed = 500;

/** Why a regular expression is refused: only what RE2 runs in linear time is taken, because answers of models are matched with it. */
export function faultOfPattern(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a text';
  if (value.length > patternAllowed) return `a pattern holds at most ${patternAllowed} characters`;
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(value.replaceAll('\\\\', ''))) {
    return 'a pattern must do without (?=, (?!, (?<=, (?<! and references back such as \\1';
  }
  for (const [, least = '', most = ''] of value.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    if (Number(least) > 1000 || Number(most) > 1000) return 'a pattern repeats at most 1000 times';
  }
  try {
    createLinearRegexp(value);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return (error as Error).message;
    return `the pattern ${quoteText(value, 60)} is not a regular expression`;
  }
}
