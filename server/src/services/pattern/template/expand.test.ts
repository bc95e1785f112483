import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { expand, expansionLimit } from './expand.ts';
import { hostileText, hostileTexts, seededRandom } from './hostile-text.ts';
import { compileTemplate } from './template.ts';

const now = Date.parse('2026-11-23T10:20:30.456Z');

function render(text: string, variables: Record<string, string> = {}, input = ''): string {
  return expand(compileTemplate(text), { variables: new Map(Object.entries(variables)), input, now });
}

const refuses = (code: string, pointer?: string) => (error: unknown) =>
  error instanceof AppError && error.code === code && error.details.pointer === pointer;

test('every hostile value comes out byte for byte', () => {
  for (const value of hostileTexts) {
    assert.equal(
      render('<{{a}}|{{input}}|{{a}}>', { a: value, other: 'never' }, value),
      `<${value}|${value}|${value}>`,
    );
  }
});

test('random values of template syntax come out byte for byte from random templates', () => {
  const random = seededRandom(20261123);
  for (let round = 0; round < 5000; round++) {
    const before = hostileText(random, 6).replaceAll(/[{}`~]/g, '');
    const [a, b, input] = [hostileText(random, 12), hostileText(random, 12), hostileText(random, 12)];
    assert.equal(render(`${before}{{a}}.{{b}}{{input}}`, { a, b }, input), `${before}${a}.${b}${input}`);
  }
});

test('whatever the template, a value is never read again', () => {
  const random = seededRandom(42);
  for (let round = 0; round < 5000; round++) {
    const text = hostileText(random, 30);
    const compiled = compileTemplate(text);
    const marks = new Map([...compiled.variables.map((name, index): [string, string] => [name, `\u{e000}${index}`])]);
    const values = new Map([...marks.keys()].map((name) => [name, hostileText(random, 8)]));
    const input = hostileText(random, 8);
    const plain = compiled.parts.every(
      (part) => typeof part === 'string' || part.kind === 'input' || part.kind === 'variable',
    );
    if (!plain) continue;
    let wanted = expand(compiled, { variables: marks, input: '\u{e001}', now });
    wanted = wanted.split('\u{e001}').join(input);
    for (const [name, mark] of [...marks].reverse()) wanted = wanted.split(mark).join(values.get(name));
    assert.equal(expand(compiled, { variables: values, input, now }), wanted);
  }
});

test('the value is the argument of a plugin, and is not read as one', () => {
  assert.equal(render('{{plugin:text:upper:{{a}}}}', { a: '{{plugin:text:lower:X}} é' }), '{{PLUGIN:TEXT:LOWER:X}} É');
  assert.equal(render('{{plugin:text:lower:<{{input}}>}}', {}, 'A{{B}}'), '<a{{b}}>');
  assert.equal(render('{{plugin:text:upper:{{a}}}}', { a: '' }), '');
});

test('the text plugin does what it does in Fabric', () => {
  assert.equal(render('{{plugin:text:upper:grün}}'), 'GRÜN');
  assert.equal(render('{{plugin:text:lower:GRÜN}}'), 'grün');
  assert.equal(render('{{plugin:text:title:hELLO big-city wORLD}}'), 'Hello Big-City World');
  assert.equal(render('{{plugin:text:title:i have a b}}'), 'i Have a B');
  assert.equal(render('[{{plugin:text:trim:  x y }}]'), '[x y]');
});

test('every datetime operation, in UTC', () => {
  const cases = {
    now: '2026-11-23T10:20:30Z',
    time: '10:20:30',
    unix: '1795429230',
    startofhour: '2026-11-23T10:00:00Z',
    endofhour: '2026-11-23T10:59:59Z',
    today: '2026-11-23',
    full: 'Monday, November 23, 2026',
    month: 'November',
    year: '2026',
    startofweek: '2026-11-22',
    endofweek: '2026-11-29',
    startofmonth: '2026-11-01',
    endofmonth: '2026-11-30',
    'rel:-1h': '2026-11-23T09:20:30Z',
    'rel:90m': '2026-11-23T11:50:30Z',
    'rel:+1h30m': '2026-11-23T11:50:30Z',
    'rel:1.5h': '2026-11-23T11:50:30Z',
    'rel:-2d': '2026-11-21',
    'rel:1w': '2026-11-30',
    'rel:-1y': '2025-11-23',
  };
  for (const [call, wanted] of Object.entries(cases)) assert.equal(render(`{{plugin:datetime:${call}}}`), wanted, call);
});

test('a distance in time may be a variable; a bad one names it', () => {
  assert.equal(render('{{plugin:datetime:rel:{{days}}d}}', { days: '-3' }), '2026-11-20');
  for (const days of ['x', '', '1e9', '9999999', '{{a}}', '1d1']) {
    assert.throws(
      () => render('{{plugin:datetime:rel:{{days}}d}}', { days }),
      refuses('invalid_variable', '/variables/days'),
    );
  }
  assert.throws(() => render('{{plugin:datetime:rel:{{input}}}}', {}, 'x'), refuses('invalid_request', '/input'));
  assert.throws(
    () => render('{{plugin:datetime:rel:{{y}}y}}', { y: '9000' }),
    refuses('invalid_variable', '/variables/y'),
  );
});

test('a name without a value is an error, also when objects have it', () => {
  const compiled = compileTemplate('{{constructor}}', { declared: ['constructor'] });
  const values = { variables: new Map<string, string>(), input: '', now };
  assert.throws(() => expand(compiled, values), refuses('missing_variable', '/variables/constructor'));
});

test('an expansion that would be too large is refused before it is put together', () => {
  const value = 'x'.repeat(1024 * 1024);
  const compiled = compileTemplate('{{a}}'.repeat(9));
  const from = performance.now();
  assert.throws(() => expand(compiled, { variables: new Map([['a', value]]), input: '', now }), refuses('too_large'));
  assert.throws(
    () => render('{{plugin:text:upper:{{a}}}}', { a: 'ΐ'.repeat(expansionLimit / 2) }),
    refuses('too_large'),
  );
  assert.throws(() => render('{{plugin:text:title:{{a}}}}', { a: value }), refuses('too_large'));
  assert.ok(performance.now() - from < 1000);
  assert.equal(render('{{a}}'.repeat(8), { a: value }).length, expansionLimit);
});
