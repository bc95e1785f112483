import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createLog } from './log.ts';
import { createRedact, redactValue } from './redact.ts';

const secret = 'cAn+ary/7f"3e~9é\\b1d5c8';

function forms(text: string): Record<string, string> {
  const bytes = Buffer.from(text);
  return {
    raw: text,
    base64: bytes.toString('base64'),
    base64url: bytes.toString('base64url'),
    hex: bytes.toString('hex'),
    'upper hex': bytes.toString('hex').toUpperCase(),
    url: encodeURIComponent(text),
    form: new URLSearchParams({ a: text }).toString(),
    json: JSON.stringify({ a: text }),
    reversed: [...text].reverse().join(''),
    'inside base64': Buffer.from(`user:${text}:tail`).toString('base64'),
    'inside base64 at another offset': Buffer.from(`user1:${text}`).toString('base64url'),
  };
}

test('a registered secret is removed in every spelling', () => {
  const redact = createRedact([secret]);
  for (const [name, form] of Object.entries(forms(secret))) {
    const shown = redact.text(`before ${form} after`);
    assert.ok(shown.includes('[redacted]'), name);
    for (const other of Object.values(forms(secret))) assert.ok(!shown.includes(other), name);
  }
});

test('secrets can be added later, and any number of them is found in one text', () => {
  const redact = createRedact();
  const many = Array.from({ length: 500 }, () => randomBytes(18).toString('base64url'));
  for (const one of many) redact.addSecret(one);
  const shown = redact.text(many.map((one, i) => `${i}=${one};${one}`).join(' and '));
  for (const one of many) assert.ok(!shown.includes(one));
  assert.equal(shown.match(/\[redacted\]/g)?.length, 1000);
  assert.equal(redact.text('nothing to hide here'), 'nothing to hide here');
});

test('a text too short to be a secret is not registered', () => {
  assert.equal(createRedact(['admin']).text('the admin said so'), 'the admin said so');
});

test('what looks like a secret is removed although nobody registered it', () => {
  const redact = createRedact();
  const keys = [
    `dmk_${'a1B2'.repeat(12)}`,
    'sk-proj-abcdefghijklmnopqrstuv',
    'AIzaSyA1234567890abcdefghijklmnopqrstuv',
    'AKIAIOSFODNN7EXAMPLE',
    'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl',
  ];
  for (const key of keys) assert.ok(!redact.text(`refused: ${key}.`).includes(key), key);
  const hidden: [string, string][] = [
    ['Authorization: Bearer abcdef.123456', 'abcdef.123456'],
    ['authorization: bearer abcdef123456', 'abcdef123456'],
    ['Basic dXNlcjpwYXNzd29yZDEyMw==', 'dXNlcjpwYXNzd29yZDEyMw'],
    ['connect to postgres://damask:hunter2@127.0.0.1:5432/x', 'hunter2'],
    ['https://h/?api_key=hunter22&x=1', 'hunter22'],
    ['{"api_key":"hunter22"}', 'hunter22'],
    [JSON.stringify('{"client_secret": "hunter22"}'), 'hunter22'],
    ['password = hunter22', 'hunter22'],
    ['-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----', 'MIIEvQ'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ', 'MIIEvQ'],
  ];
  for (const [text, part] of hidden) assert.ok(!redact.text(text).includes(part), text);
  const harmless = ['task-force-of-the-whole-company', 'max_tokens: 1000', 'see https://example.com/a@b', '12:30'];
  for (const text of harmless) assert.equal(redact.text(text), text);
});

test('hostile texts are redacted in linear time', () => {
  const redact = createRedact([secret]);
  const runs = ['eyJ-', '://a', '-----BEGIN ', 'password ', 'sk-', 'Bearer ', 'secret\\"', secret.slice(0, 10)];
  for (const run of runs) {
    const started = process.threadCpuUsage().user;
    redact.text(run.repeat(200_000 / run.length));
    assert.ok(process.threadCpuUsage().user - started < 400_000, run);
  }
});

test('a secret on the edge of the cut does not survive in part', () => {
  const redact = createRedact([secret]);
  for (let lead = 70; lead <= 101; lead++) {
    const shown = redact.text('x'.repeat(lead) + secret + 'y'.repeat(5000), 100);
    assert.ok(shown.length <= 120);
    assert.ok(!shown.includes(secret.slice(0, 4)), shown);
  }
});

test('a secret split over pieces of a stream is found, and other text is not held back', () => {
  const text = `one ${secret} two ${secret}${secret} three`;
  for (let size = 1; size < 30; size++) {
    const stream = createRedact([secret]).stream();
    let out = '';
    for (let i = 0; i < text.length; i += size) out += stream.push(text.slice(i, i + size));
    assert.equal(out + stream.end(), 'one [redacted] two [redacted][redacted] three');
  }
  const stream = createRedact([secret]).stream();
  assert.equal(stream.push('plain words '), 'plain words ');
  assert.equal(stream.push(`so ${secret.slice(0, 5)}`), 'so ');
  assert.equal(stream.push('else'), `${secret.slice(0, 5)}else`);
});

test('fields with the name of a secret are hidden whatever they hold', () => {
  const names = [
    'authorization',
    'Authorization',
    'api_key',
    'apiKey',
    'x-api-key',
    'key',
    'password',
    'client_secret',
  ];
  names.push('token', 'access_token', 'cookie', 'Set-Cookie', 'master_key');
  const record = Object.fromEntries(names.map((name) => [name, name === 'key' ? { deep: 'value' } : 'value']));
  const shown = redactValue(record, createRedact()) as Record<string, unknown>;
  for (const name of names) assert.equal(shown[name], '[redacted]', name);
  const open = { has_key: true, input_tokens: 7, keyboard: 'qwerty', token: null };
  assert.deepEqual({ ...(redactValue(open, createRedact()) as object) }, open);
});

test('errors show their causes, also when those go in a circle', () => {
  const inner = Object.assign(new Error(`refused ${secret}`), { code: 'ECONNREFUSED', detail: 'not shown' });
  const outer = new Error('outer', { cause: inner });
  inner.cause = outer;
  const shown = JSON.parse(JSON.stringify(redactValue({ error: outer }, createRedact([secret]))));
  assert.equal(shown.error.cause.code, 'ECONNREFUSED');
  assert.equal(shown.error.cause.message, 'refused [redacted]');
  assert.equal(shown.error.cause.cause, '[circular]');
  assert.ok(!JSON.stringify(shown).includes('not shown'));
  assert.ok(!JSON.stringify(shown).includes(JSON.stringify(secret).slice(1, -1)));
});

test('nothing that can be thrown makes the log fail', () => {
  const trap = new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
      ownKeys() {
        throw new Error('no');
      },
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  const getter = {
    get field() {
      throw new Error('no');
    },
    other: 1,
  };
  let deep: unknown = 'end';
  for (let i = 0; i < 100_000; i++) deep = { deep };
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, { i }]));
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    clock: { now: () => 0 },
    write: (line) => lines.push(line),
    redact: createRedact([secret]),
  });
  const odd = [
    trap,
    getter,
    deep,
    wide,
    new Array(1e6).fill(wide),
    1n,
    Symbol('s'),
    () => 1,
    Number.NaN,
    Buffer.alloc(9),
  ];
  odd.push(
    new Map(),
    new Date(Number.NaN),
    Object.create(null),
    { toJSON: () => 'x'.repeat(1e6) },
    { __proto__: null },
  );
  for (const value of odd) log.error('thrown', { value, [secret]: 1 });
  assert.equal(lines.length, odd.length);
  for (const line of lines) {
    assert.equal(JSON.parse(line).message, 'thrown');
    assert.ok(line.length < 300_000, String(line.length));
    assert.ok(!line.includes(JSON.stringify(secret).slice(1, -1)));
  }
});

test('S-5: one message is one line without control bytes, and a long field is cut', () => {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    clock: { now: () => 0 },
    write: (line) => lines.push(line),
    redact: createRedact(),
  });
  log.info('a\n{"level":"fatal"}\u001b[31m\u009b31m\u007f\u2028\u2029\0', { field: 'x'.repeat(1_000_000) });
  const line = lines[0] as string;
  assert.equal(line.indexOf('\n'), line.length - 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/.test(line));
  assert.ok(line.length < 2500);
  assert.equal(JSON.parse(line).level, 'info');
});
