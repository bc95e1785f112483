import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '@damask/contracts/message.ts';
import { AppError } from '#platform/app-error.ts';
import { hostileTexts } from '../template/hostile-text.ts';
import { buildMessages, type MessageRequest } from './build-messages.ts';
import { compileVersion } from './compile-version.ts';
import { inspectVersion, templateOf } from './version-content.ts';

function messages(system: string, request: Partial<MessageRequest> = {}, yaml = ''): Message[] {
  const files = [
    { path: 'system.md', content: system },
    { path: 'pattern.yaml', content: yaml },
  ];
  const { content, problems } = inspectVersion('greet', files, { refuseTokens: false });
  assert.ok(content, JSON.stringify(problems));
  const stored = JSON.parse(JSON.stringify(templateOf(content))) as Parameters<typeof compileVersion>[0];
  return buildMessages(compileVersion(stored), { input: 'INPUT', now: 0, ...request });
}

const refuses = (code: string, pointer: string) => (error: unknown) =>
  error instanceof AppError && error.code === code && error.details.pointer === pointer;

test('the pattern is the system message and the input the user message', () => {
  assert.deepEqual(messages('\n# Greet\n\nSay hello.\n\n# INPUT\n\nINPUT:\n'), [
    { role: 'system', content: '# Greet\n\nSay hello.\n\n# INPUT\n\nINPUT:' },
    { role: 'user', content: 'INPUT' },
  ]);
});

test('the input is never trimmed or changed, whatever it holds', () => {
  for (const input of hostileTexts.filter((text) => text.trim() !== '')) {
    assert.deepEqual(messages('Greet {{a}}', { input, variables: { a: input } }), [
      { role: 'system', content: `Greet ${input}` },
      { role: 'user', content: input },
    ]);
  }
});

test('a strategy stands before the pattern, one line apart', () => {
  assert.deepEqual(messages('Greet.', { strategy: ' Think.\n' }), [
    { role: 'system', content: 'Think.\nGreet.' },
    { role: 'user', content: 'INPUT' },
  ]);
  assert.deepEqual(messages('Greet.', { strategy: ' ' })[0], { role: 'system', content: 'Greet.' });
});

test('{{input}} alone on the last line is the same as none', () => {
  const plain = messages('Greet.\n\n# INPUT');
  for (const ending of ['\n{{input}}', '\n\n{{input}}\n', '\n  {{input}}  \n\n', '\r\n\r\n{{input}}\r\n']) {
    assert.deepEqual(messages(`Greet.\n\n# INPUT${ending}`), plain);
  }
  assert.deepEqual(messages('{{input}}'), [{ role: 'user', content: 'INPUT' }]);
  assert.deepEqual(messages('{{input}}', { strategy: 'Think.' }), [
    { role: 'system', content: 'Think.' },
    { role: 'user', content: 'INPUT' },
  ]);
});

test('an inline {{input}} stays where it is, in a user message with the whole text', () => {
  assert.deepEqual(messages('Say {{input}} twice.'), [{ role: 'user', content: 'Say INPUT twice.' }]);
  assert.deepEqual(messages('Say: {{input}}'), [{ role: 'user', content: 'Say: INPUT' }]);
  assert.deepEqual(messages('{{input}}\n\nSay that again:\n{{input}}'), [
    { role: 'user', content: 'INPUT\n\nSay that again:\nINPUT' },
  ]);
  assert.deepEqual(messages('{{plugin:text:upper:{{input}}}}', { input: 'abc' }), [{ role: 'user', content: 'ABC' }]);
  assert.deepEqual(messages('Say {{input}} twice.', { strategy: 'Think.' }), [
    { role: 'system', content: 'Think.' },
    { role: 'user', content: 'Say INPUT twice.' },
  ]);
});

test('only the author text is trimmed, never a value at the edge', () => {
  assert.equal(messages(' {{a}}\n', { variables: { a: '\n x \n' } })[0]?.content, '\n x \n');
  assert.equal(messages('\n{{input}} and\n', { input: '  x  ' })[0]?.content, '  x   and');
});

test('no input ever reaches the system message', () => {
  const texts = [
    'Greet.',
    'Greet\n{{input}}',
    'a {{input}} b',
    '{{plugin:text:lower:{{input}}}}',
    '{{input}}{{input}}',
    '{{a}}\n{{input}}',
  ];
  for (const text of texts) {
    const variables = text.includes('{{a}}') ? { a: 'A' } : {};
    for (const message of messages(text, { input: 'secretmark', strategy: 'S', variables })) {
      assert.equal(message.role === 'user', String(message.content).includes('secretmark'), text);
    }
  }
});

test('the system message depends on version and variables only, so that a provider can cache it', () => {
  const first = messages('Greet {{a}}.', { variables: { a: 'x' }, input: 'one', now: 1 });
  const second = messages('Greet {{a}}.', { variables: { a: 'x' }, input: 'two', now: 2 });
  assert.deepEqual(first[0], second[0]);
});

test('a blank input is refused, except where the author placed the input', () => {
  for (const input of ['', ' \n\t']) {
    assert.throws(() => messages('Greet.', { input }), refuses('invalid_request', '/input'));
    assert.throws(() => messages('Greet.\n{{input}}', { input }), refuses('invalid_request', '/input'));
    assert.equal(messages('Say "{{input}}".', { input })[0]?.content, `Say "${input}".`);
  }
});

test('variables are resolved with their defaults and refused by their rules', () => {
  const yaml = 'variables: {tone: {type: enum, values: [warm, cold], default: warm}}';
  assert.equal(messages('Be {{tone}}.', {}, yaml)[0]?.content, 'Be warm.');
  assert.throws(
    () => messages('Be {{tone}}.', { variables: { tone: 'x' } }, yaml),
    refuses('invalid_variable', '/variables/tone'),
  );
  assert.throws(() => messages('Be {{tone}}.'), refuses('missing_variable', '/variables/tone'));
  assert.throws(() => messages('Greet.', { variables: { x: '' } }), refuses('invalid_request', '/variables/x'));
});

test('a pattern with a disabled capability is refused until the author calls it text', () => {
  const text = 'Read {{plugin:file:read:/etc/passwd}}.';
  assert.throws(() => messages(text), refuses('capability_disabled', '/pattern'));
  const yaml = 'literal_tokens: ["{{plugin:file:read:/etc/passwd}}"]';
  assert.equal(messages(text, {}, yaml)[0]?.content, text);
});

test('a time in a pattern comes from the clock that is passed', () => {
  assert.equal(messages('Today is {{plugin:datetime:today}}.', { now: 0 })[0]?.content, 'Today is 1970-01-01.');
});

test('building messages takes a few microseconds', () => {
  const text = `${'You are careful and write well. '.repeat(60)}{{a}} and {{b}}\n${'Do this. '.repeat(20)}`;
  const { content } = inspectVersion('greet', [{ path: 'system.md', content: text }], { refuseTokens: true });
  assert.ok(content);
  const version = compileVersion(templateOf(content));
  const request = { input: 'INPUT', variables: { a: 'x', b: 'y' }, now: 0 };
  const rounds = 20_000;
  const times = [0, 1, 2, 3, 4].map(() => {
    const from = performance.now();
    for (let round = 0; round < rounds; round++) buildMessages(version, request);
    return ((performance.now() - from) / rounds) * 1000;
  });
  assert.ok(Math.min(...times) < 20, `${times.join(', ')} microseconds`);
});
