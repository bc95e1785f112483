import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileText, seededRandom } from './hostile-text.ts';
import type { Part } from './parts.ts';
import { compileTemplate } from './template.ts';

const variable = (name: string): Part => ({ kind: 'variable', name });
const input: Part = { kind: 'input' };

test('a template is split into text, variables and the input', () => {
  const compiled = compileTemplate('Write in {{lang_code}} about {{input}}, in {{lang_code}}.');
  assert.deepEqual(compiled.parts, [
    'Write in ',
    variable('lang_code'),
    ' about ',
    input,
    ', in ',
    variable('lang_code'),
    '.',
  ]);
  assert.deepEqual(compiled.variables, ['lang_code']);
  assert.deepEqual([compiled.literalTokens, compiled.disabledCapabilities, compiled.problems], [[], [], []]);
});

test('white space inside braces makes plain text, which is listed', () => {
  const compiled = compileTemplate('{{ x }} {{x y}} {{\nx\n}} {{x}}');
  assert.deepEqual(compiled.variables, ['x']);
  assert.deepEqual(compiled.literalTokens, ['{{ x }}', '{{x y}}', '{{\nx\n}}']);
  assert.deepEqual(compiled.problems, []);
});

test('the innermost braces are the token', () => {
  assert.deepEqual(compileTemplate('{{{x}}}').parts, ['{', variable('x'), '}']);
  assert.deepEqual(compileTemplate('{{{{raw}}}}').parts, ['{{', variable('raw'), '}}']);
  assert.deepEqual(compileTemplate('{{a{{b}}c}}').parts, ['{{a', variable('b'), 'c}}']);
  for (const text of ['{{}}', '{{', '}}', '{{x}', '{x}}', '{{x', '{ {x}}']) {
    assert.deepEqual(compileTemplate(text), { ...compileTemplate(''), parts: [text] });
  }
});

test('names in capitals and in small camel case are variables, names in CamelCase are not', () => {
  const compiled = compileTemplate('{{TOPIC}} {{userName}} {{user-name}} {{_x}} {{BaseURL}} {{Hostname}}');
  assert.deepEqual(compiled.variables, ['TOPIC', 'userName', 'user-name', '_x']);
  assert.deepEqual(compiled.literalTokens, ['{{BaseURL}}', '{{Hostname}}']);
});

test('a name that is only used inside a code fence is literal text', () => {
  const text =
    'Fill {{open}}.\n```yaml\nhost: {{host}} {{open}} {{.Values.x}} {{__proto__}}\n```\nThen\n~~~\n{{other}}\n```\n';
  const compiled = compileTemplate(text);
  assert.deepEqual(compiled.variables, ['open']);
  assert.deepEqual(compiled.literalTokens, ['{{host}}', '{{.Values.x}}', '{{__proto__}}', '{{other}}']);
  assert.deepEqual(compiled.problems, []);
});

test('the input and plugins work inside a code fence', () => {
  const compiled = compileTemplate('```\n{{input}}{{plugin:text:upper:{{name}}}}\n```');
  assert.equal(compiled.literalTokens.length, 0);
  assert.deepEqual(compiled.variables, ['name']);
});

test('inline code is no fence, and a fence ends with its own mark', () => {
  assert.deepEqual(compileTemplate('`{{a}}` ```{{b}}```').variables, ['a', 'b']);
  assert.deepEqual(compileTemplate('````\n```\n{{a}}\n````\n{{b}}').variables, ['b']);
  assert.deepEqual(compileTemplate('```\r\n{{a}}\r\n```\r\n{{b}}').variables, ['b']);
  assert.deepEqual(compileTemplate('    ```\n{{a}}').variables, ['a']);
});

test('declared variables win over every guess', () => {
  const compiled = compileTemplate('{{BaseURL}}\n```\n{{host}}\n```', { declared: ['BaseURL', 'host'] });
  assert.deepEqual(compiled.variables, ['BaseURL', 'host']);
  assert.deepEqual(compiled.literalTokens, []);
});

test('literal tokens stay as they are, whatever they are', () => {
  const literals = ['{{name}}', '{{input}}', '{{plugin:file:read:x}}', '{{a.b}}'];
  const compiled = compileTemplate(literals.join(' '), { literals });
  assert.deepEqual(compiled.parts, [literals.join(' ')]);
  assert.deepEqual(compiled.literalTokens, literals);
  assert.deepEqual([compiled.disabledCapabilities, compiled.problems], [[], []]);
});

test('a closed template knows its declared names only', () => {
  const compiled = compileTemplate('{{a}} {{b}} {{a.b}} {{input}}', { declared: ['a'], closed: true });
  assert.deepEqual(compiled.parts, [variable('a'), ' {{b}} {{a.b}} ', input]);
  assert.deepEqual(compiled.problems, []);
});

test('dangerous and unusable names are problems with their line, and literal text', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    'a.b.c',
    'n'.repeat(101),
    'x'.repeat(10_000),
    'nаme',
    'ｎame',
    '1',
    '/each',
    '.Values',
    "constructor.constructor('return')()",
  ];
  for (const name of names) {
    const compiled = compileTemplate(`one\ntwo {{${name}}}`);
    assert.deepEqual(compiled.variables, [], name);
    assert.equal(compiled.problems.length, /\s/.test(name) ? 0 : 1, name);
    assert.equal(compiled.problems[0]?.line ?? 2, 2);
    assert.deepEqual(compiled.parts, [`one\ntwo {{${name}}}`]);
    assert.ok(compiled.literalTokens.every((token) => token.length <= 200));
  }
});

test('text and datetime plugins are read, with a value, a variable or the input as argument', () => {
  assert.deepEqual(compileTemplate('{{plugin:text:upper:a:b}}').parts, [
    { kind: 'text', call: 'upper', argument: ['a:b'] },
  ]);
  assert.deepEqual(compileTemplate('{{plugin:text:title:Mr {{name}}, {{input}}!}}').parts, [
    { kind: 'text', call: 'title', argument: ['Mr ', variable('name'), ', ', input, '!'] },
  ]);
  assert.deepEqual(compileTemplate('{{plugin:datetime:today}}').parts, [
    { kind: 'datetime', call: 'today', argument: [] },
  ]);
  assert.deepEqual(compileTemplate('{{plugin:text:lower:{{plugin:text:trim:{{x}}}}}}').parts, [
    { kind: 'text', call: 'lower', argument: [{ kind: 'text', call: 'trim', argument: [variable('x')] }] },
  ]);
});

test('what a plugin does not know is a problem that names what it knows', () => {
  const faults = [
    '{{plugin:text:shout:x}}',
    '{{plugin:text:upper}}',
    '{{plugin:text:upper:}}',
    '{{plugin:text}}',
    '{{plugin:datetime:nope}}',
    '{{plugin:datetime:rel}}',
    '{{plugin:datetime:rel:soon}}',
  ];
  for (const text of faults) {
    const compiled = compileTemplate(text);
    assert.equal(compiled.problems.length, 1, text);
    assert.deepEqual(compiled.parts, [text]);
  }
  assert.match(compileTemplate('{{plugin:text:shout:x}}').problems[0]?.detail ?? '', /upper, lower, title, trim/);
});

test('plugins that reach out and extensions stay literal and are listed as disabled', () => {
  const tokens = [
    '{{plugin:file:read:/etc/passwd}}',
    '{{plugin:sys:env:PATH}}',
    '{{plugin:fetch:get:http://x}}',
    '{{plugin:other:x}}',
    '{{ext:tool:run}}',
    '{{ext:tool:run:{{name}}}}',
    '{{plugin:file:read:{{input}}}}',
    '{{plugin:textual:x:y}}',
    '{{plugin:}}',
    '{{ext:}}',
  ];
  const compiled = compileTemplate(tokens.join('\n'));
  assert.deepEqual(compiled.parts, [tokens.join('\n')]);
  assert.deepEqual(compiled.disabledCapabilities, tokens);
});

test('a disabled capability is found inside the argument of another token', () => {
  const compiled = compileTemplate('{{plugin:text:upper:{{plugin:file:read:x}}}}');
  assert.deepEqual(compiled.disabledCapabilities, [
    '{{plugin:file:read:x}}',
    '{{plugin:text:upper:{{plugin:file:read:x}}}}',
  ]);
  assert.deepEqual(compiled.parts, ['{{plugin:text:upper:{{plugin:file:read:x}}}}']);
});

test('reading a stored template again with its own findings gives the same parts', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 3000; round++) {
    const text = hostileText(random, 40);
    const first = compileTemplate(text);
    const again = compileTemplate(text, { declared: first.variables, literals: first.literalTokens, closed: true });
    assert.deepEqual(again.parts, first.parts);
    assert.deepEqual(again.disabledCapabilities, first.disabledCapabilities);
  }
});

test('hostile templates are read in linear time', () => {
  const size = 256 * 1024;
  const fill = (text: string) => text.repeat(Math.ceil(size / text.length));
  const texts = [
    '{',
    '}',
    '{{',
    '{{a',
    '{{a}}',
    '{{plugin:text:upper:',
    '{{plugin:text:upper:{{a}}',
    '```\n',
    '`',
    '{{A',
    'A',
  ];
  for (const text of [...texts.map(fill), `{{${'A'.repeat(size)}!}}`, `{{plugin:text:upper:${fill('{{x}}')}`]) {
    const from = performance.now();
    compileTemplate(text);
    assert.ok(performance.now() - from < 1500, text.slice(0, 30));
  }
});
