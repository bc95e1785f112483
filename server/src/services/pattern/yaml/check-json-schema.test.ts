import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfJsonSchema } from './check-json-schema.ts';

const faultOf = (schema: unknown) => {
  const fault = faultOfJsonSchema(schema);
  return fault && `${fault.pointer}: ${fault.detail}`;
};

test('a schema as authors write it is taken', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    description: 'A ticket.',
    properties: {
      kind: { enum: ['bug', 'wish'] },
      score: { type: ['integer', 'null'], minimum: 1, maximum: 5 },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' }, maxItems: 5, uniqueItems: true },
      $ref: { type: 'string' },
      else: { const: { $ref: 'not a reference' } },
    },
    required: ['kind'],
    additionalProperties: false,
    anyOf: [{ required: ['score'] }, { not: { required: ['tags'] } }],
    $defs: { tag: { type: 'string', pattern: '^[a-z]{1,20}$', 'x-order': 1 } },
  };
  assert.equal(faultOf(schema), undefined);
  assert.equal(faultOf(true), undefined);
  assert.equal(faultOf({}), undefined);
});

test('what is wrong is told with its place', () => {
  const cases: [unknown, RegExp][] = [
    [[], /^: must be a schema/],
    [null, /^: must be a schema/],
    ['x', /^: must be a schema/],
    [{ properties: { a: 1 } }, /^\/properties\/a: must be a schema/],
    [{ properties: [] }, /mapping from names/],
    [{ proprties: {} }, /^\/proprties: .*did you mean properties/],
    [{ properties: { a: { type: 'strng' } } }, /^\/properties\/a\/type: .*did you mean string/],
    [{ type: [] }, /or a list of them/],
    [{ minLength: -1 }, /whole number/],
    [{ minimum: '1' }, /must be a number/],
    [{ multipleOf: 0 }, /above 0/],
    [{ required: 'a' }, /list of texts/],
    [{ enum: [] }, /1 to 500/],
    [{ anyOf: [] }, /list of schemas/],
    [{ pattern: '(' }, /not a regular expression/],
    [{ pattern: '(?=a)' }, /without/],
    [{ pattern: '(a)\\1' }, /without/],
    [{ pattern: '((a{100}){100}){100}' }, /too large/],
    [{ patternProperties: { '(?!x)': {} } }, /without/],
    [{ $id: 'https://example.org/a' }, /\$id is not read/],
    [{ $dynamicRef: '#a' }, /not read/],
    [{ minimum: { $data: '1/a' } }, /must be a number/],
    [{ $data: '/a' }, /not read/],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, /2020-12/],
    [JSON.parse('{"properties": {"__proto__": {}}}'), /__proto__/],
  ];
  for (const [schema, wanted] of cases) assert.match(faultOf(schema) ?? '', wanted, JSON.stringify(schema));
});

test('a reference stays in the schema, leads to a schema and never back', () => {
  const refused: unknown[] = [
    { $ref: 'https://example.org/schema.json' },
    { $ref: 'file:///etc/passwd' },
    { $ref: 'other.json#/a' },
    { $ref: '#name' },
    { $ref: '#/$defs/none' },
    { $ref: '#/const', const: { $ref: 'https://example.org' } },
    { $ref: '#' },
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } },
    { $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { $ref: '#/$defs/a' } } },
    { properties: { children: { items: { $ref: '#' } } } },
  ];
  for (const schema of refused) assert.notEqual(faultOf(schema), undefined, JSON.stringify(schema));
});

test('what would take for ever to build or to check is refused at once', () => {
  const deep: Record<string, unknown> = {};
  let at = deep;
  for (let level = 0; level < 10_000; level++) at = at.not = {} as Record<string, unknown>;
  assert.match(faultOf(deep) ?? '', /32 levels/);
  const many = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`p${index}`, {}]));
  assert.match(faultOf({ properties: many }) ?? '', /more than 5000 schemas/);
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => {
      const next = { $ref: `#/$defs/d${index + 1}` };
      return [`d${index}`, { anyOf: [next, next] }];
    }),
  );
  assert.match(faultOf({ $ref: '#/$defs/d0', $defs: { ...doubling, d30: {} } }) ?? '', /every \$ref written out/);
  const patterns = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`^a${index}`, {}]));
  assert.match(faultOf({ patternProperties: patterns }) ?? '', /more than 100 patterns/);
});
