import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityOperations } from '@damask/contracts/identity.ts';
import { modelOperations } from '@damask/contracts/model.ts';
import type { Operation, Operations } from '@damask/contracts/operation.ts';
import { patternOperations } from '@damask/contracts/pattern.ts';
import { runOperations } from '@damask/contracts/run-operations.ts';
import { strategyOperations } from '@damask/contracts/strategy.ts';
import { Type } from 'typebox';
import type { AppError } from './app-error.ts';
import { buildQueryDecoder } from './query-decoder.ts';
import { buildCheck } from './schema-check.ts';

const input = Type.Object({
  limit: Type.Optional(Type.Integer()),
  ratio: Type.Optional(Type.Number()),
  deleted: Type.Optional(Type.Boolean()),
  search: Type.Optional(Type.String()),
  status: Type.Optional(Type.Union([Type.Literal('a'), Type.Literal('b')])),
  tags: Type.Optional(Type.Array(Type.String())),
});
const decoder = buildQueryDecoder({ method: 'GET', input });
const plain = (raw: string) => ({ ...decoder.query(raw) });

test('every operation of the contracts has a decoder', () => {
  const groups: Operations[] = [
    identityOperations,
    modelOperations,
    patternOperations,
    runOperations,
    strategyOperations,
  ];
  for (const group of groups) for (const operation of Object.values(group)) buildQueryDecoder(operation);
});

test('an object in the input of a GET stops the start', () => {
  const nested = Type.Object({ parameters: Type.Object({}) });
  assert.throws(() => buildQueryDecoder({ method: 'GET', input: nested }), /parameters/);
  buildQueryDecoder({ method: 'POST', input: nested });
});

test('values take the types of the contract', () => {
  assert.deepEqual(plain(''), {});
  assert.deepEqual(plain('limit=50&ratio=-0.5&deleted=true&search=50&status=a'), {
    limit: 50,
    ratio: -0.5,
    deleted: true,
    search: '50',
    status: 'a',
  });
  assert.deepEqual(plain('search=a+b%20c%2B&&tags=x&tags=y&search2'), {
    search: 'a b c+',
    tags: ['x', 'y'],
    search2: '',
  });
});

test('what only looks like a number or a boolean stays text and is refused by the check', () => {
  const check = buildCheck(input);
  const bad = [
    'limit=1e3',
    'limit=0x10',
    'limit=',
    'limit=+1',
    'limit=1.0',
    'limit=%201',
    'limit=01',
    'limit=99999999999999999',
  ];
  bad.push(
    'limit=9999999999999999',
    'limit=-0',
    'ratio=NaN',
    'ratio=Infinity',
    'ratio=1e5',
    'deleted=1',
    'deleted=TRUE',
    'deleted',
  );
  for (const raw of bad) assert.notEqual(check(decoder.query(raw)), null, raw);
});

test('a field that is given twice is refused with its place', () => {
  assert.throws(
    () => decoder.query('limit=1&limit=1'),
    (error: AppError) => error.code === 'invalid_request' && error.details.pointer === '/limit',
  );
  assert.throws(() => decoder.query('search=&search='));
  assert.throws(() => decoder.query('unknown=1&unknown=2'));
});

test('names of the prototype are ordinary names', () => {
  assert.deepEqual(Object.keys(decoder.query('__proto__=1&constructor=2&toString=3')), [
    '__proto__',
    'constructor',
    'toString',
  ]);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('broken escapes, NUL and floods are refused', () => {
  const bad = ['search=%', 'search=%zz', 'search=%ff', 'search=%00', 'a%00=1', 'search=%ed%a0%80', 'a&'.repeat(101)];
  for (const raw of bad) assert.throws(() => decoder.query(raw), { code: 'invalid_request' }, raw);
});

test('a parameter of the path is decoded, and a plus sign there is a plus sign', () => {
  const operation = patternOperations.readVersion as Operation;
  const path = buildQueryDecoder(operation);
  assert.equal(path.parameter('version', '12'), 12);
  assert.equal(path.parameter('version', '012'), '012');
  assert.equal(path.parameter('pattern', 'a+b%2Fc'), 'a+b/c');
  assert.throws(() => path.parameter('pattern', '%00'), { code: 'invalid_request' });
});
