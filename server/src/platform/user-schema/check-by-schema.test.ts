import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Check } from 'typebox/schema';
import { checkBySchema, type UserSchema } from './check-by-schema.ts';

const schemas: unknown[] = [
  true,
  false,
  {},
  { type: 'object', properties: { a: { type: 'string', minLength: 1 } }, required: ['a'], additionalProperties: false },
  { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1, maxProperties: 2 },
  { patternProperties: { '^x': { type: 'number' } }, additionalProperties: false },
  { propertyNames: { maxLength: 1 } },
  { type: ['string', 'null'], maxLength: 2 },
  { enum: [1, 'a', null, { a: 1 }] },
  { const: { a: [1, 2] } },
  { type: 'array', items: { type: 'integer', minimum: 0, exclusiveMaximum: 3 }, uniqueItems: true },
  { items: [{ type: 'string' }, { type: 'number' }] },
  { prefixItems: [{ type: 'string' }], items: { type: 'number' }, minItems: 1, maxItems: 3 },
  { contains: { type: 'string' }, minContains: 1, maxContains: 1 },
  { anyOf: [{ type: 'string' }, { type: 'object', required: ['a'] }] },
  { oneOf: [{ type: 'number' }, { type: 'integer' }] },
  { allOf: [{ minimum: 1 }, { maximum: 2 }] },
  { not: { type: 'string' } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  { if: { type: 'string' }, then: { minLength: 2 }, else: { type: 'integer' } },
  { dependentRequired: { a: ['b'] }, dependentSchemas: { b: { maxProperties: 2 } } },
  { multipleOf: 0.5 },
  { pattern: '^a+$' },
  {
    $defs: { node: { type: 'object', properties: { a: { $ref: '#/$defs/node' } }, additionalProperties: false } },
    $ref: '#/$defs/node',
  },
  { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'boolean' } } },
];
const values: unknown[] = [
  null,
  true,
  false,
  0,
  1,
  2,
  2.5,
  -1,
  3,
  '',
  'a',
  'aa',
  '👋',
  'abc',
  [],
  [1],
  [1, 1],
  ['a'],
  ['a', 1],
  ['a', 'b'],
  [{ a: 1 }, { a: 1 }],
  [0, 1, 2],
  {},
  { a: 'x' },
  { a: '' },
  { a: 1 },
  { b: 1 },
  { a: 1, b: 2 },
  { a: 1, b: 2, c: 3 },
  { x1: 1 },
  { x1: 'a' },
  { a: [1, 2] },
  { a: {} },
  { a: { a: {} } },
  { a: { b: {} } },
  { ab: 1 },
  { __proto__x: 1 },
];

test('values fit a schema exactly where another checker says that they fit', () => {
  for (const given of schemas) {
    const schema = given as UserSchema;
    for (const value of values) {
      const ours = checkBySchema(schema, value);
      assert.equal(
        ours.length === 0,
        Check(given as object, value),
        `${JSON.stringify(given)} on ${JSON.stringify(value)}: ${JSON.stringify(ours)}`,
      );
    }
  }
});

test('what does not fit is told with its place, for a model to repair', () => {
  const schema: UserSchema = {
    type: 'object',
    properties: {
      mood: { enum: ['good', 'bad'] },
      scores: { type: 'array', items: { type: 'integer', minimum: 1 } },
      who: { anyOf: [{ type: 'null' }, { type: 'object', required: ['name'] }] },
    },
    required: ['mood', 'when'],
    additionalProperties: false,
  };
  assert.deepEqual(checkBySchema(schema, { mood: 'so', scores: [1, 0, 'x'], who: {}, 'a/b': 1 }), [
    { pointer: '/when', detail: 'is required' },
    { pointer: '/mood', detail: 'must be one of ["good","bad"]' },
    { pointer: '/scores/1', detail: 'must be at least 1' },
    { pointer: '/scores/2', detail: 'must be integer' },
    { pointer: '/who/name', detail: 'is required' },
    { pointer: '/a~1b', detail: 'is not a field here; fields are: mood, scores, who' },
  ]);
  assert.equal(checkBySchema({ items: { type: 'null' } }, Array(50).fill(1)).length, 10);
});

test('formats that are known are checked, others are notes', () => {
  const fits = (format: string, value: string) => checkBySchema({ format }, value).length === 0;
  assert.deepEqual([fits('date', '2024-02-29'), fits('date', '2023-02-29')], [true, false]);
  assert.deepEqual([fits('date-time', '2024-02-29T23:59:60Z'), fits('date-time', '2024-02-29 23:59')], [true, false]);
  assert.deepEqual([fits('email', 'a@b.org'), fits('email', 'a@@b')], [true, false]);
  assert.deepEqual([fits('uri', 'https://a.b'), fits('uri', 'a.b')], [true, false]);
  for (const format of ['hostname', 'constructor', 'toString', '__proto__']) assert.ok(fits(format, 'x'));
});

test('a check that would take too much is ended', () => {
  const levels = Object.fromEntries(
    Array.from({ length: 25 }, (_, i) => [
      `l${i}`,
      { anyOf: [{ $ref: `#/$defs/l${i + 1}` }, { $ref: `#/$defs/l${i + 1}` }] },
    ]),
  );
  const schema = { $defs: { ...levels, l25: false }, $ref: '#/$defs/l0' };
  assert.throws(() => checkBySchema(schema, 1), /takes too much/);
  assert.throws(() => checkBySchema({ $ref: '#' }, 1), /takes too much/);
  const nest = { $defs: { n: { items: { $ref: '#/$defs/n' } } }, $ref: '#/$defs/n' };
  assert.throws(() => checkBySchema(nest, JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`)), /takes too much/);
});
