import assert from 'node:assert/strict';
import { test } from 'node:test';
import { events } from '@damask/contracts/events.ts';
import { identityOperations } from '@damask/contracts/identity.ts';
import { modelOperations } from '@damask/contracts/model.ts';
import type { Operations } from '@damask/contracts/operation.ts';
import { patternOperations } from '@damask/contracts/pattern.ts';
import { runEvents } from '@damask/contracts/run.ts';
import { runOperations } from '@damask/contracts/run-operations.ts';
import { strategyOperations } from '@damask/contracts/strategy.ts';
import { type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { buildCheck } from './schema-check.ts';

const groups: Operations[] = [
  identityOperations,
  modelOperations,
  patternOperations,
  runOperations,
  strategyOperations,
];
const strict = { additionalProperties: false };

test('every schema of the contracts can be built', () => {
  for (const group of groups) {
    for (const operation of Object.values(group)) {
      buildCheck(operation.input);
      buildCheck(operation.output, { closed: true });
    }
  }
  for (const event of Object.values(events)) buildCheck(event.data);
  for (const event of Object.values(runEvents)) buildCheck(event);
});

test('a keyword that is not known stops the build', () => {
  const odd = [
    Type.String({ contentEncoding: 'base64' }),
    Type.Number({ multipleOf: 2 }),
    Type.Object({ a: Type.Tuple([Type.String()]) }),
    Type.Intersect([Type.Object({}), Type.Object({})]),
    Type.Array(Type.String(), { uniqueItems: true }),
    Type.String({ format: 'email' }),
    Type.Never(),
    { type: 'object', required: ['a'] } as unknown as TSchema,
    { type: ['string', 'null'] } as unknown as TSchema,
  ];
  for (const schema of odd) assert.throws(() => buildCheck(schema), JSON.stringify(schema));
});

test('a problem says where it is and what is expected', () => {
  const check = buildCheck(runOperations.createRun.input);
  const run = { pattern: 'summarize', input: 'text' };
  const cases: [unknown, string, RegExp][] = [
    [null, '', /must be an object/],
    [[], '', /must be an object/],
    [{ input: 'x' }, '/pattern', /is required/],
    [{ ...run, 'a/b~c': 1 }, '/a~1b~0c', /is not a field here; fields are: pattern, input, /],
    [{ ...run, pattern: '../x' }, '/pattern', /does not fit: Lower case letters/],
    [{ ...run, input: 7 }, '/input', /must be a string/],
    [{ ...run, version: 0 }, '/version', /must be at least 1 and at most 2147483647/],
    [{ ...run, version: 1.5 }, '/version', /must be an integer/],
    [{ ...run, version: 2 ** 53 }, '/version', /must be an integer/],
    [{ ...run, version: '1' }, '/version', /must be an integer/],
    [{ ...run, parameters: { temperature: 3 } }, '/parameters/temperature', /at least 0 and at most 2/],
    [{ ...run, parameters: { temperature: Number.NaN } }, '/parameters/temperature', /must be a number/],
    [{ ...run, on_disconnect: 'wait' }, '/on_disconnect', /must be one of "cancel", "continue"/],
    [{ ...run, mode: 'later' }, '/mode', /must be one of "sync", "async"/],
    [{ ...run, stream: 'true' }, '/stream', /must be true or false/],
    [{ ...run, variables: { 'no space': 'x' } }, '/variables/no space', /is not an allowed key/],
    [{ ...run, variables: { lang: 1 } }, '/variables/lang', /must be a string/],
    [
      { ...run, metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, ''])) },
      '/metadata',
      /20 keys/,
    ],
  ];
  assert.equal(check(run), null);
  for (const [value, pointer, detail] of cases) {
    const problem = check(value);
    assert.equal(problem?.pointer, pointer);
    assert.match(problem?.detail ?? '', detail);
  }
  const nullable = buildCheck(Type.Union([Type.Null(), Type.Object({ a: Type.Integer() })]));
  assert.deepEqual(nullable({ a: 'x' }), { pointer: '/a', detail: 'must be an integer' });
  assert.deepEqual(nullable('x'), { pointer: '', detail: 'must be null or an object' });
});

test('only own keys of plain objects count', () => {
  const check = buildCheck(Type.Object({ toString: Type.Optional(Type.String()), name: Type.String() }, strict));
  assert.equal(check({ name: 'x' }), null);
  assert.equal(check(Object.assign(Object.create(null), { name: 'x' })), null);
  assert.equal(check(Object.create({ name: 'x' }))?.detail, 'must be an object');
  assert.equal(check(new Map([['name', 'x']]))?.detail, 'must be an object');
  assert.equal(check(JSON.parse('{"name":"x","__proto__":{"a":1}}'))?.pointer, '/__proto__');
  assert.equal(check(JSON.parse('{"name":"x","constructor":1}'))?.pointer, '/constructor');
  assert.equal(check({ name: 'x', hasOwnProperty: 1 })?.pointer, '/hasOwnProperty');
  assert.equal(buildCheck(Type.Object({ constructor: Type.String() }))({})?.detail, 'is required');
});

test('an answer with a field that the contract does not name is found when the check is closed', () => {
  const schema = Type.Object({ items: Type.Array(Type.Object({ id: Type.String() })) });
  const answer = { items: [{ id: 'a', secret: 'b' }] };
  assert.equal(buildCheck(schema)(answer), null);
  assert.equal(buildCheck(schema, { closed: true })(answer)?.pointer, '/items/0/secret');
});

test('lengths count code points', () => {
  const check = buildCheck(Type.String({ minLength: 2, maxLength: 3 }));
  assert.equal(check('😀😀😀'), null);
  assert.match(check('😀😀😀😀')?.detail ?? '', /at most 3/);
  assert.match(check('😀')?.detail ?? '', /at least 2/);
  assert.equal(check('\ud83dab'), null);
});

test('times are those that JavaScript and the database can read', () => {
  const check = buildCheck(Type.String({ format: 'date-time' }));
  const good = [
    '2026-01-31T12:00:00Z',
    '2024-02-29T23:59:59.123456Z',
    '2026-01-31t12:00:00.5+02:00',
    '0001-01-01T00:00:00Z',
  ];
  for (const time of good) assert.equal(check(time), null, time);
  const bad = [
    '',
    '2026-01-31',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
  ];
  bad.push('2026-01-31T24:00:00Z', '2026-01-31T12:00:60Z', '2026-01-31T12:00:00', '0000-01-01T00:00:00Z', 'infinity');
  bad.push('2026-01-31T12:00:00+16:00', '2026-01-31 12:00:00Z', '+002026-01-31T12:00:00Z', '2026-01-31T12:00:00Z\n');
  for (const time of bad) assert.notEqual(check(time), null, time);
  for (const time of good) assert.ok(!Number.isNaN(Date.parse(time)), time);
});

test('random values of random schemas are judged as by TypeBox', () => {
  const random = seeded(20_260_131);
  let fits = 0;
  for (let round = 0; round < 3000; round++) {
    const schema = randomSchema(random, 3);
    const check = buildCheck(schema);
    for (let i = 0; i < 8; i++) {
      const value = i < 4 ? shaped(random, schema) : randomValue(random, 3);
      const expected = Value.Check(schema, value);
      if (expected) fits += 1;
      assert.equal(
        check(value) === null,
        expected,
        `${JSON.stringify(schema)}\n${JSON.stringify(value)}\n${check(value)?.detail}`,
      );
    }
  }
  assert.ok(fits > 3000 && fits < 21_000, String(fits));
});

test('values near to the contracts are judged as by TypeBox', () => {
  const random = seeded(7);
  let fits = 0;
  for (const operation of groups.flatMap((group) => Object.values(group))) {
    for (const schema of [operation.input, operation.output]) {
      const check = buildCheck(schema);
      const closed = closeRecords(schema);
      for (let i = 0; i < 60; i++) {
        const value = shaped(random, schema);
        const problem = check(value);
        if (problem === null) fits += 1;
        assert.equal(problem === null, Value.Check(closed, value), `${JSON.stringify(value)} ${problem?.detail}`);
      }
    }
  }
  assert.ok(fits > 200, String(fits));
});

/** Our records refuse a key that does not match; JSON Schema has to be told so. */
function closeRecords(schema: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (_key, part) =>
    part?.patternProperties === undefined ? part : { ...part, additionalProperties: false },
  );
}

type Random = (below: number) => number;

function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// Not toString and the like: TypeBox takes those of the prototype for fields.
const keys = ['a', 'b', 'name', 'size', 'x-1', ''];
const texts = [
  '',
  'a',
  'ab',
  'abc',
  '😀',
  '😀😀',
  'name',
  '00000000-0000-4000-8000-000000000000',
  'x'.repeat(9),
  '1',
  'local/m',
  '2026-01-31T12:00:00Z',
  'sync',
];
const numbers = [0, 1, -1, 2, 3, 0.5, 1.5, 10, Number.NaN, Number.POSITIVE_INFINITY];
const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;

function randomSchema(random: Random, depth: number): TSchema {
  switch (random(depth === 0 ? 7 : 12)) {
    case 0:
      return Type.String(random(2) ? { minLength: random(3), maxLength: random(4) } : {});
    case 1:
      return Type.String({ pattern: pick(random, ['^a', '^[a-z]+$', '^.$', 'x{3}']) });
    case 2:
      return Type.Integer(random(2) ? { minimum: random(3) - 1, maximum: random(5) } : {});
    case 3:
      return Type.Number(random(2) ? { exclusiveMinimum: random(2), exclusiveMaximum: random(4) } : {});
    case 4:
      return pick(random, [Type.Boolean(), Type.Null(), Type.Unknown(), Type.String({ format: 'uuid' })]);
    case 5:
      return Type.Literal(pick(random, ['a', 'ab', 1, true]));
    case 6:
      return Type.Union([Type.Literal('a'), Type.Literal(1), Type.Literal('abc')]);
    case 7:
      return Type.Union(Array.from({ length: 1 + random(3) }, () => randomSchema(random, depth - 1)));
    case 8:
      return Type.Array(randomSchema(random, depth - 1), random(2) ? { minItems: random(2), maxItems: random(4) } : {});
    case 9:
      return Type.Record(Type.String({ pattern: '^[a-z]+$' }), randomSchema(random, depth - 1), {
        ...strict,
        maxProperties: 2,
      });
    default: {
      const fields = keys.filter(() => random(3) === 0).map((key) => [key, randomSchema(random, depth - 1)] as const);
      const made = fields.map(([key, schema]) => [key, random(2) ? Type.Optional(schema) : schema]);
      return Type.Object(Object.fromEntries(made), random(2) ? strict : {});
    }
  }
}

function randomValue(random: Random, depth: number): unknown {
  switch (random(depth === 0 ? 4 : 6)) {
    case 0:
      return pick(random, texts);
    case 1:
      return pick(random, numbers);
    case 2:
      return pick(random, [true, false, null]);
    case 3:
      return pick(random, ['a', 1, true, 'abc']);
    case 4:
      return Array.from({ length: random(4) }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(keys.filter(() => random(4) === 0).map((key) => [key, randomValue(random, depth - 1)]));
  }
}

/** A value that mostly fits, with an error here and there. */
function shaped(random: Random, schema: TSchema): unknown {
  if (random(25) === 0) return randomValue(random, 2);
  const rule = schema as {
    [name: string]: unknown;
    properties?: Record<string, TSchema>;
    items?: TSchema;
    anyOf?: TSchema[];
  };
  if (rule.anyOf) return shaped(random, pick(random, rule.anyOf));
  if ('const' in rule) return rule.const;
  if (rule.type === 'array') return Array.from({ length: random(4) }, () => shaped(random, rule.items as TSchema));
  if (rule.patternProperties) return { [pick(random, keys)]: shaped(random, Object.values(rule.patternProperties)[0]) };
  if (rule.type === 'object') {
    const entries = Object.entries(rule.properties ?? {}).filter(() => random(10) > 0);
    const made: unknown[][] = entries.map(([key, part]) => [key, shaped(random, part)]);
    if (random(15) === 0) made.push([pick(random, keys), 1]);
    return Object.fromEntries(made as [string, unknown][]);
  }
  if (rule.type === 'string') return pick(random, texts);
  if (rule.type === 'boolean') return true;
  return rule.type === 'null' ? null : pick(random, numbers);
}
