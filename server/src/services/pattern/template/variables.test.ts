import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { hostileTexts } from './hostile-text.ts';
import { foundVariable, resolveVariables, type VariableRule } from './variables.ts';

const rule = (fields: Partial<VariableRule>): VariableRule => ({
  name: 'v',
  type: 'string',
  required: true,
  declared: true,
  ...fields,
});

function failure(rules: readonly VariableRule[], given?: Record<string, string>): AppError {
  try {
    resolveVariables(rules, given);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  assert.fail('nothing was refused');
}

test('a value is checked and never changed', () => {
  const accepted: [Partial<VariableRule>, string[]][] = [
    [{}, [...hostileTexts]],
    [{ type: 'integer' }, ['0', '-7', '9007199254740991']],
    [{ type: 'number' }, ['0', '-0.5', '1e3', '10', '-0']],
    [{ type: 'boolean' }, ['true', 'false']],
    [{ type: 'enum', values: ['a', 'B c', ''] }, ['a', 'B c', '']],
    [{ max_length: 3 }, ['', 'abc']],
    [{ type: 'integer', minimum: -1, maximum: 3 }, ['-1', '3']],
  ];
  for (const [fields, values] of accepted) {
    for (const value of values) assert.equal(resolveVariables([rule(fields)], { v: value }).get('v'), value);
  }
});

test('a value that the type does not allow is refused at its name, without being repeated', () => {
  const refused: [Partial<VariableRule>, string[]][] = [
    [
      { type: 'integer' },
      ['', '1.0', '01', '+1', ' 1', '1\n', '0x1', '1e3', '9007199254740992', '9'.repeat(100_000), '١'],
    ],
    [{ type: 'number' }, ['', '.5', '5.', 'NaN', 'Infinity', '1e999', '1,5', '0x1', '1_0']],
    [{ type: 'boolean' }, ['', 'True', 'yes', '1']],
    [{ type: 'enum', values: ['a'] }, ['', 'A', 'a ', '__proto__']],
    [{ max_length: 3 }, ['secret']],
    [{ type: 'integer', minimum: 0 }, ['-1']],
    [{ type: 'number', maximum: 0.5 }, ['0.51']],
  ];
  for (const [fields, values] of refused) {
    for (const value of values) {
      const error = failure([rule(fields)], { v: value });
      assert.deepEqual([error.code, error.details.pointer], ['invalid_variable', '/variables/v'], value.slice(0, 20));
      assert.ok(value.length < 5 || !error.message.includes(value));
    }
  }
});

test('what is missing takes its default, or nothing where it is optional', () => {
  const rules = [rule({ name: 'a', default: 'x', required: false }), rule({ name: 'b', required: false })];
  assert.deepEqual(
    [...resolveVariables(rules)],
    [
      ['a', 'x'],
      ['b', ''],
    ],
  );
  assert.deepEqual(
    [...resolveVariables(rules, { a: '' })],
    [
      ['a', ''],
      ['b', ''],
    ],
  );
});

test('all missing variables are named at once', () => {
  const error = failure([foundVariable('lang_code'), foundVariable('tone')], {});
  assert.deepEqual(
    [error.code, error.status, error.details.pointer],
    ['missing_variable', 400, '/variables/lang_code'],
  );
  assert.match(error.message, /lang_code, tone/);
  assert.equal(error.details.problems?.length, 2);
});

test('a variable that the pattern does not know is refused, naming those it knows', () => {
  const error = failure([foundVariable('lang_code')], { lang_code: 'de', lang: 'de' });
  assert.deepEqual([error.code, error.details.pointer], ['invalid_request', '/variables/lang']);
  assert.match(error.message, /It knows lang_code/);
  assert.match(failure([], { x: '' }).message, /It has no variables/);
  assert.match(failure([], { input: '' }).message, /field of its own/);
  assert.equal(failure([], { 'a/b~': '' }).details.pointer, '/variables/a~1b~0');
});

test("names of JavaScript's own objects are never found by accident", () => {
  const sent = JSON.parse('{"__proto__": "x"}') as Record<string, string>;
  assert.equal(failure([foundVariable('a')], sent).details.pointer, '/variables/__proto__');
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.equal(failure([foundVariable(name)], {}).code, 'missing_variable');
  }
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test('a hundred unknown names give a short message', () => {
  const given = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`unknown_${index}`, 'x']));
  assert.ok(failure([], given).message.length < 600);
});
