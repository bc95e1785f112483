import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newApiKey } from '../api-key.ts';
import { systemClock } from '../clock.ts';
import { createExpressionFinder } from './expression-finder.ts';
import { createFindStream } from './find-stream.ts';
import { createRedactor, detectors } from './redactor.ts';
import { createTextThreads, notKept } from './text-threads.ts';

const all = createRedactor({ kinds: ['secret', 'card', 'email', 'phone', 'iban'], expressions: [] });
const redact = (text: string) => all.redact(text, {});
const finder = (expression: string) => (text: string) =>
  createExpressionFinder(expression)
    .find(text)
    .map(([start, end]) => text.slice(start, end));

test('what is of a kind is taken out, and its name stands in its place', () => {
  const cases: Record<string, string> = {
    'write to Jo.Doe+x@mail.example.co.uk, please': 'write to [email], please',
    '<müller@example.com>': '<[email]>',
    'card 4111 1111 1111 1111.': 'card [card].',
    'card 4111-1111-1111-1111 or 378282246310005': 'card [card] or [card]',
    'IBAN DE89 3704 0044 0532 0130 00, GB82WEST12345698765432': 'IBAN [iban], [iban]',
    'call +49 (30) 1234-5678 or +442079460958': 'call [phone] or [phone]',
    'call (212) 555-0187 or 212-555-0187': 'call [phone] or [phone]',
    'Authorization: Bearer abcdef0123456789abcdef': 'Authorization: Bearer [secret]',
    'use AKIAIOSFODNN7EXAMPLE now': 'use [secret] now',
    ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8: '[secret]',
    sk_live_a1B2c3D4e5F6g7H8: '[secret]',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl': '[secret]',
    '-----BEGIN EC PRIVATE KEY-----\nMIIEvQ\n-----END EC PRIVATE KEY-----\nafter': '[secret]\nafter',
    '-----BEGIN PRIVATE KEY-----\nMIIEvQ': '[secret]',
    [newApiKey((size) => Uint8Array.from({ length: size }, (_, at) => at * 7))]: '[secret]',
  };
  for (const [text, clean] of Object.entries(cases)) assert.equal(redact(text), clean);
  const counts: Record<string, number> = {};
  all.redact('a@b.example and c@d.example', counts);
  assert.deepEqual(counts, { email: 2 });
});

test('what is written in another way is found all the same', () => {
  const cases: Record<string, string> = {
    '{"mail":"ada\\u0040example.or\\u0067","n":1}': '{"mail":"[email]","n":1}',
    '{"in":"{\\"m\\":\\"ada\\\\u0040example.org\\"}"}': '{"in":"{\\"m\\":\\"[email]\\"}"}',
    '{"log":"key:\\nsk-proj-a1B2c3D4e5F6g7H8i9J0\\tada@example.org"}': '{"log":"key:\\n[secret]\\t[email]"}',
    'to ada@exa\u200bmple.org\u00ad now': 'to [email] now',
    '4111\u00a01111\u202f1111\u20071111, 4111\u20111111\u20111111\u20111111': '[card], [card]',
    '\uff14\uff11\uff11\uff11 1111 1111 \u0661\u0661\u0661\u0661.': '[card].',
    'DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000': '[iban]',
    '?to=ada%40example.org&x=1': '?to=[email]&x=1',
    'C:\\umbra\\x \\ \\\\ \u2013 50%40': 'C:\\umbra\\x \\ \\\\ \u2013 50%40',
  };
  for (const [text, clean] of Object.entries(cases)) assert.equal(redact(text), clean);
});

test('what only looks like it stays', () => {
  const harmless = [
    '2026-11-23T10:20:30Z, 12:30, 192.168.0.1, version 1.2.3-4',
    '123e4567-e89b-12d3-a456-426614174000 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'order 1234567890123456, invoice 4111111111111112, 0000000000000000, 1 2 3 4 5 6 7 8 9',
    'a@b, @mention, git@host, x@localhost',
    'DE00 3704 0044 0532 0130 00, GB99',
    '1+1=2, C++17, +1, 555-1234, 10-20-30',
    'sk-your-key-goes-here-please AKIAXXXXXXXXXXXXXXXX task-force-of-the-whole-company',
    'dmk_0123456789012345678901234567890123456789abcdef',
    'the bearer of this letter, basic instructions follow here',
  ];
  for (const text of harmless) assert.equal(redact(text), text);
});

test('hostile texts take time in proportion to their length', () => {
  const runs = [
    '\\',
    '\\u0040',
    '\\\\n',
    '\u200b',
    'a@',
    '@',
    '+1',
    '4',
    '4 ',
    '4-',
    'DE89 ',
    'eyJa.',
    'sk-',
    'bearer ',
    '-----BEGIN PRIVATE KEY-----',
    '(212) ',
  ];
  for (const run of runs) {
    const text = run.repeat(100_000 / run.length);
    for (const [kind, find] of Object.entries(detectors)) {
      const started = process.threadCpuUsage().user;
      find(text);
      assert.ok(process.threadCpuUsage().user - started < 500_000, `${kind} on ${run}`);
    }
  }
  const expression = createExpressionFinder('(a|a)*b|a.*c|a');
  const started = process.threadCpuUsage().user;
  assert.equal(expression.find('a'.repeat(20_000)).length, 20_000);
  assert.ok(process.threadCpuUsage().user - started < 1_000_000);
});

test('an expression finds all that belongs to any of its matches', () => {
  assert.deepEqual(finder('K-[0-9]{3,8}')('K-123 K-12345678 K-1'), ['K-123', 'K-12345678']);
  assert.deepEqual(finder('\\bfoo\\b')('foo food foo'), ['foo', 'foo']);
  assert.deepEqual(finder('a.*b|a')('xaxxbxa'), ['axxb', 'a']);
  assert.deepEqual(finder('[0-9]{3}')('123456 12'), ['123456']);
  assert.deepEqual(finder('^x|y$')('xxyy'), ['x', 'y']);
  assert.deepEqual(finder('[é😀]+')('aé😀b'), ['é😀']);
  for (const bad of ['a*', '', '(?=a)b', '(a)\\1', 'x{900}', '(', 'a'.repeat(2_000)]) {
    assert.throws(() => createExpressionFinder(bad), bad.slice(0, 20));
  }
});

test('S-3: a stream in pieces of any size comes out as the whole text would, and holds little', () => {
  const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(600)}-----END RSA PRIVATE KEY-----`;
  const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.${'c2lnbmF0dXJlMTIz'.repeat(1_200)}`;
  const words = 'one two three four five six seven '.repeat(40);
  const texts = [
    `${words}sk-abcDEF1234567890abcdefGHI and jo@example.com ${words}4111 1111 1111 1111`,
    `${key} after ${words}`,
    `a ${token} b`,
    'mail jo@example.com',
    `${words}${'x'.repeat(17_000)} jo@example.com`,
  ];
  for (const text of texts) {
    for (const size of [1, 50, 100_000]) {
      const stream = createFindStream({ find: all.find, found: ({ kind }) => `[${kind}]`, reach: 512 });
      let out = '';
      let behind = 0;
      for (let at = 0; at < text.length; at += size) {
        const before = out.length;
        out += stream.push(text.slice(at, at + size));
        behind = out.length > before ? 0 : behind + size;
        if (!text.includes('x'.repeat(100)) && !text.includes('MII') && !text.includes('c2ln')) {
          assert.ok(behind <= 1_200 + size, `${behind} characters were held`);
        }
      }
      assert.equal(out + stream.end(), redact(text), `in pieces of ${size}`);
    }
  }
  const stopped = createFindStream({ find: all.find, found: () => undefined, reach: 512 });
  const text = `${words}jo@example.com ${words}`;
  let out = '';
  for (const character of text) out += stopped.push(character);
  assert.equal(out + stopped.end(), words, 'nothing of it and of what follows goes out');
});

test('what takes too long counts as found', async () => {
  const threads = createTextThreads({ clock: systemClock, within: 300 });
  try {
    const slow = [{ name: 'slow', expression: '(?:a?){130}(?:a?){130}b' }];
    const rules = { kinds: [], expressions: slow };
    const late = await threads.redact(rules, ['a'.repeat(2_000_000), '', 'x']);
    assert.deepEqual(late, { texts: [notKept, '', notKept], counts: { not_kept: 1 } });
    assert.equal(await threads.count([slow[0]?.expression ?? ''], 'a'.repeat(2_000_000)), undefined);
    const fine = await threads.redact({ kinds: ['email'], expressions: [{ name: 'id', expression: 'K-[0-9]+' }] }, [
      'a@b.example K-12',
    ]);
    assert.deepEqual(fine, { texts: ['[email] [id]'], counts: { email: 1, id: 1 } });
    assert.deepEqual(await threads.count(['x', '__proto__'], 'x __proto__ x'), [2, 1]);
  } finally {
    await threads.close();
  }
});
