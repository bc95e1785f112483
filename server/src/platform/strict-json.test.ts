import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from './app-error.ts';
import { jsonLimits, parseStrictJson } from './strict-json.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

function refusal(bytes: Uint8Array | string): AppError {
  try {
    parseStrictJson(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, 'invalid_request');
    return error;
  }
  throw new assert.AssertionError({ message: `not refused: ${String(bytes).slice(0, 80)}` });
}

test('ordinary bodies are parsed as JSON.parse does', () => {
  const bodies = [
    '{}',
    '[]',
    ' {"a": [1, -2.5e3, "x", true, false, null, {"b": {}}]}\r\n\t',
    '"text"',
    '0',
    'null',
    '{"":1}',
  ];
  bodies.push(
    '{"a":{"x":1},"b":{"x":2},"x":[{"x":3},{"x":4}]}',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\\\u0000"',
    '"\\ud83d\\ude00😀"',
  );
  bodies.push(
    '"a:b{[}],\\":{"',
    '{"\\\\":1,"\\\\\\\\":2}',
    '{"constructor":1,"toString":{"prototype":2}}',
    '1e308',
    '"\ufffd"',
  );
  for (const body of bodies) assert.deepEqual(parse(body), JSON.parse(body), body);
  assert.deepEqual(parseStrictJson(new Uint8Array([0x5b, 0x31, 0x5d])), [1]);
});

test('what parsers disagree about is refused with a pointer to the place', () => {
  const cases: [string, string, RegExp][] = [
    ['{"a":1,"a":2}', '/a', /twice/],
    ['{"a":1,"\\u0061":2}', '/a', /twice/],
    ['{"x":[{},{"b/c":{"k~":1,"k~":1}}]}', '/x/1/b~1c/k~0', /twice/],
    ['{"__proto__":{"polluted":1}}', '/__proto__', /not allowed/],
    ['{"a":{"\\u005f_proto__":1}}', '/a/__proto__', /not allowed/],
    ['{"a":"x\\u0000y"}', '/a', /NUL/],
    ['{"a\\u0000":1}', '', /NUL/],
    ['{"a":["\\ud800"]}', '/a/0', /surrogate/],
    ['{"a":"\\udc00\\ud800"}', '/a', /surrogate/],
    ['{"a":"\\ud800\\ud800\\udc00"}', '/a', /surrogate/],
    ['{"a":"\\uD83Dx"}', '/a', /surrogate/],
    ['{"\\ud800":1}', '', /surrogate/],
    ['{"a":[0,1e400]}', '/a/1', /too large/],
    ['-1e999', '', /too large/],
    ['{"a":"raw \0 zero"}', '/a', /control/],
    ['{"a":1} x', '', /the end is expected at character 9/],
    ['{"a":1}{}', '', /the end/],
    ['{"a":1,}', '', /a key in quotes/],
    ['{"a" 1}', '/a', /a colon/],
    ['[1 2]', '', /a comma or \]/],
    ['{"a":[1,]}', '/a/1', /a value/],
    ['{"a":01}', '/a', /a value/],
    ['{"a":NaN}', '/a', /a value/],
    ["{'a':1}", '', /a key/],
    ['{"a":"', '/a', /does not end/],
    ['{"a":"\\x"}', '/a', /escape/],
    ['', '', /the text ends/],
    ['   ', '', /the text ends/],
  ];
  for (const [body, pointer, detail] of cases) {
    const error = refusal(body);
    assert.equal(error.details.pointer, pointer, body);
    assert.match(error.message, detail, body);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('other encodings and a byte order mark are refused', () => {
  assert.match(refusal(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])).message, /byte order mark/);
  assert.match(refusal(Buffer.from('{"a":1}', 'utf16le')).message, /./);
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.match(refusal(Buffer.from([0x22, ...bad, 0x22])).message, /UTF-8/);
  }
});

test('a key with an escape is read right although V8 has seen a similar one', () => {
  for (const text of ['{"z":1,"\\\\":2}', '{"z":1,"\\"":2}', '{"z":1,"\\n":2}', '{"z":1,"\\u0061" :2}']) {
    assert.deepEqual(Object.keys(parse(text) as object), ['z', JSON.parse(text.slice(7, text.lastIndexOf('"') + 1))]);
  }
});

test('depth and number of keys and values are bounded, and a flood is refused at once', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  parse(nested(32));
  assert.equal(refusal(nested(33)).details.pointer, '/0'.repeat(32));
  const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join()}}`;
  parse(keys(10_000));
  assert.match(refusal(keys(10_001)).message, /more than 10000 keys/);
  assert.equal(parseStrictJson(Buffer.from(keys(10_001)), { ...jsonLimits, maxKeys: 40_000 }) !== null, true);
  assert.equal((parse(`[${'0,'.repeat(249_998)}0]`) as unknown[]).length, 249_999);
  assert.equal(refusal(`[${'0,'.repeat(249_999)}0]`).details.pointer, '/249999');
  assert.match(refusal(`[${'[],'.repeat(300_000)}0]`).message, /more than 250000 values/);
  const floods = [
    '['.repeat(200_000),
    '{"a":'.repeat(200_000),
    keys(1_000_000),
    `"${'\\'.repeat(1_000_001)}"`,
    '"'.repeat(999_999),
  ];
  floods.push(`{"${'k'.repeat(1_000_000)}":1,"${'k'.repeat(1_000_000)}":1}`, `"${'\\u0041'.repeat(200_000)}\\ud800"`);
  for (const flood of floods) {
    const started = process.threadCpuUsage().user;
    const error = refusal(flood);
    assert.ok(process.threadCpuUsage().user - started < 1_000_000, flood.slice(0, 20));
    assert.ok(error.message.length < 300 && (error.details.pointer ?? '').length <= 500);
  }
});

test('random texts are judged as by a slow parser that only follows the rules', () => {
  const random = seeded(42);
  let accepted = 0;
  for (let round = 0; round < 12_000; round++) {
    const text = (round % 3 === 0 ? randomSoup(random) : mutate(random, randomJson(random, 4))).toWellFormed();
    const expected = reference(text);
    if (expected.ok) accepted += 1;
    let actual: { ok: boolean; value?: unknown };
    try {
      actual = { ok: true, value: parse(text) };
    } catch (error) {
      assert.ok(error instanceof AppError, `${JSON.stringify(text)}: ${error}`);
      actual = { ok: false };
    }
    assert.equal(actual.ok, expected.ok, JSON.stringify(text));
    assert.deepEqual(actual.value, expected.value, JSON.stringify(text));
  }
  assert.ok(accepted > 1200 && accepted < 10_800, String(accepted));
});

type Random = (below: number) => number;

function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pick = (random: Random, from: readonly string[]): string => from[random(from.length)] as string;
const pieces = [
  'a',
  'b',
  '\\u0061',
  '\\"',
  '\\\\',
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud83d',
  '\\ude00',
  ':',
  '{',
  '[',
  '}',
  '😀',
  '\\n',
];
pieces.push('__proto__', ',', '\\\\u0000', 'é');
const scalars = ['0', '-1', '1.5', '1e5', '1e999', 'true', 'null', 'false', '-0', '12345678901234567890'];

function randomString(random: Random): string {
  return `"${Array.from({ length: random(3) }, () => pick(random, random(3) ? pieces.slice(0, 5) : pieces)).join('')}"`;
}

function randomJson(random: Random, depth: number): string {
  const items = () => Array.from({ length: random(4) });
  const space = random(6) === 0 ? ' \n' : '';
  if (depth === 0 || random(4) === 0) return random(2) ? randomString(random) : pick(random, scalars);
  if (random(2))
    return `[${items()
      .map(() => randomJson(random, depth - 1))
      .join(`,${space}`)}]`;
  return `{${items()
    .map(() => `${randomString(random)}${space}:${randomJson(random, depth - 1)}`)
    .join(',')}}`;
}

function mutate(random: Random, text: string): string {
  if (random(3) > 0) return text;
  const at = random(text.length + 1);
  return text.slice(0, at) + pick(random, ['"', '\\', '{', '}', ',', ':', 'x', '', ' ']) + text.slice(at + random(2));
}

function randomSoup(random: Random): string {
  const soup = ['{', '}', '[', ']', ':', ',', '"', '\\', ' ', '"a"', '1', 'u0000', 'null'];
  return Array.from({ length: random(9) }, () => pick(random, soup)).join('');
}

/** The rules, written down one after the other on JSON's grammar (RFC 8259), with no thought for speed. */
function reference(text: string): { ok: boolean; value?: unknown } {
  const rest = [...text];
  let ok = true;
  let depth = 0;
  const fail = (): never => {
    throw new Error('refused');
  };
  const space = () => {
    while (rest[0] !== undefined && ' \t\n\r'.includes(rest[0])) rest.shift();
  };
  const take = (expected: string) => (rest.shift() === expected ? undefined : fail());
  function string(): string {
    take('"');
    let raw = '';
    for (;;) {
      const next = rest.shift() ?? fail();
      if (next === '"') break;
      if (next < ' ') fail();
      raw += next;
      if (next !== '\\') continue;
      const kind = rest.shift() ?? fail();
      raw += kind;
      if (kind === 'u') for (let i = 0; i < 4; i++) raw += /[0-9a-f]/i.test(rest[0] ?? '') ? rest.shift() : fail();
      else if (!'"\\/bfnrt'.includes(kind)) fail();
    }
    const value: string = JSON.parse(`"${raw}"`);
    if (/\0|\p{Surrogate}/u.test(value)) ok = false;
    return value;
  }
  function value(): unknown {
    space();
    const result = bare();
    space();
    return result;
  }
  function bare(): unknown {
    if (rest[0] === '"') return string();
    if (rest[0] === '{' || rest[0] === '[') {
      depth += 1;
      if (depth > 32) ok = false;
      const result = container(rest.shift() === '{');
      depth -= 1;
      return result;
    }
    const token = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/.exec(rest.join(''))?.[0] ?? fail();
    rest.splice(0, token.length);
    if (Math.abs(Number(token)) === Number.POSITIVE_INFINITY) ok = false;
    return JSON.parse(token);
  }
  function container(object: boolean): unknown {
    const entries: [string, unknown][] = [];
    const end = object ? '}' : ']';
    space();
    for (let next = rest[0] === end ? rest.shift() : ','; next !== end; next = rest.shift()) {
      if (next !== ',') fail();
      space();
      const key = object ? string() : '';
      space();
      if (object) take(':');
      entries.push([key, value()]);
    }
    const keys = new Set(entries.map(([key]) => key));
    if (object && (keys.size < entries.length || keys.has('__proto__'))) ok = false;
    return object ? Object.fromEntries(entries) : entries.map(([, item]) => item);
  }
  try {
    const result = value();
    if (rest.length > 0) fail();
    return ok ? { ok, value: result } : { ok };
  } catch {
    return { ok: false };
  }
}
