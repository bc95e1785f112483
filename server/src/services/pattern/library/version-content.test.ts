import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { inspectVersion, readVersionContent, type SentContent } from './version-content.ts';

const system: PatternFile = { path: 'system.md', content: 'Say hello to {{name}}.' };
const yaml = (content: string): PatternFile => ({ path: 'pattern.yaml', content });
const file = (path: string, content = ''): PatternFile => ({ path, content });

function failure(sent: SentContent): AppError {
  try {
    readVersionContent('greet', sent);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  }
  assert.fail('nothing was refused');
}

test('the text of system.md alone makes a version', () => {
  const content = readVersionContent('say_hello', { system: system.content });
  assert.deepEqual(content.files, [system]);
  assert.equal(content.title, 'Say hello');
  assert.equal(content.description, 'Say hello to {{name}}.');
  assert.deepEqual([content.tags, content.model, content.parameters], [[], null, {}]);
  assert.deepEqual(content.variables, [{ name: 'name', type: 'string', required: true, declared: false }]);
  assert.match(content.digest, /^sha256:[0-9a-f]{64}$/);
});

test('pattern.yaml says the rest, and its variables come before those that were found', () => {
  const content = readVersionContent('greet', {
    files: [
      file('README.md', '# hi'),
      yaml(
        'title: Greet\ndescription: Says hello.\ntags: [X]\nmodel: local/tiny\nparameters: {seed: 1}\nvariables: {other: {default: z}}\nliteral_tokens: ["{{raw}}"]',
      ),
      file('system.md', '{{name}} {{raw}} {{plugin:sys:user}}'),
    ],
  });
  assert.deepEqual([content.title, content.description, content.tags], ['Greet', 'Says hello.', ['X']]);
  assert.deepEqual([content.model, content.parameters], ['local/tiny', { seed: 1 }]);
  assert.deepEqual(
    content.variables.map((variable) => [variable.name, variable.declared]),
    [
      ['other', true],
      ['name', false],
    ],
  );
  assert.deepEqual([content.literal_tokens, content.disabled_capabilities], [['{{raw}}'], ['{{plugin:sys:user}}']]);
  assert.deepEqual(
    content.files.map((each) => each.path),
    ['README.md', 'pattern.yaml', 'system.md'],
  );
});

test('the digest covers the files of a run, files_digest covers all, and neither their order', () => {
  const base = readVersionContent('greet', { files: [system, yaml('title: a'), file('README.md', 'x')] });
  const turned = readVersionContent('greet', { files: [file('README.md', 'x'), yaml('title: a'), system] });
  assert.deepEqual([turned.digest, turned.files_digest], [base.digest, base.files_digest]);
  const readme = readVersionContent('greet', { files: [system, yaml('title: a'), file('README.md', 'y')] });
  assert.equal(readme.digest, base.digest);
  assert.notEqual(readme.files_digest, base.files_digest);
  const described = readVersionContent('greet', { files: [system, yaml('title: b'), file('README.md', 'x')] });
  assert.notEqual(described.digest, base.digest);
  const moved = readVersionContent('greet', { files: [system, yaml('title: a'), file('READYOU.md', 'x')] });
  assert.notEqual(moved.files_digest, base.files_digest);
});

test('content is kept byte for byte', () => {
  const text = '\ufeffLine\r\n\ttab  \n\nünïcödé 😀 \u2028 {{ x }}\n';
  assert.equal(readVersionContent('greet', { system: text }).files[0]?.content, text);
});

test('either system or files, not both and not neither', () => {
  assert.equal(failure({}).code, 'invalid_request');
  assert.equal(failure({ system: 'x', files: [system] }).code, 'invalid_request');
});

test('one system.md is needed, with text in it', () => {
  for (const files of [
    [file('README.md', 'x')],
    [file('sub/system.md', 'x')],
    [file('System.md', 'x')],
    [file('system.md', ' \n\t')],
  ]) {
    const error = failure({ files });
    assert.deepEqual([error.code, error.status], ['invalid_pattern', 422]);
    assert.match(error.message, /system\.md is (missing|empty)/);
  }
  assert.equal(failure({ system: '\n' }).details.pointer, '/system');
});

test('a hostile path is refused at its file, and the message does not repeat it unescaped', () => {
  const paths = [
    '',
    '/abs',
    '/',
    '../x',
    'a/../../x',
    'a/..',
    './a',
    'a/./b',
    'a//b',
    'a/',
    '.',
    '..',
    '..\\x',
    'a\\b',
    'C:\\x',
    'C:x',
    'x:stream',
    'a\0b',
    'a\nb',
    'a\tb',
    '\u202eabc',
    'a\u200bb',
    'a\ufeffb',
    'a\u{e0041}b',
    'a\u00adb',
    'a\u3164b',
    'a\u00a0b',
    'a\u2028b',
    'a\ud800b',
    'a\ue000b',
    'e\u0301.md',
    'a/b ',
    ' a',
    'a./b',
    'a?',
    'a*',
    'a|b',
    '<a>',
    'a"b',
    'x'.repeat(256),
    '😀'.repeat(64),
    'pattern.yml',
  ];
  for (const path of paths) {
    const error = failure({ files: [system, file(path)] });
    assert.deepEqual([error.code, error.details.pointer], ['invalid_pattern', '/files/1'], JSON.stringify(path));
    assert.ok(!/[\u202e\u200b\0\n]/.test(error.message));
  }
});

test('an ordinary path is taken, also in other scripts and in folders', () => {
  for (const path of ['user.md', 'docs/a b.md', 'データ/例.md', 'é.md', '.hidden', 'a.b.c', '😀.md', 'x'.repeat(255)]) {
    assert.equal(readVersionContent('greet', { files: [system, file(path)] }).files.length, 2, path);
  }
});

test('paths that one disk takes for the same are refused', () => {
  const twins: [string, string][] = [
    ['a.md', 'A.md'],
    ['straße', 'STRASSE'],
    ['ﬁ.md', 'fi.md'],
    ['x', 'x'],
    ['d/a', 'D/b'],
    ['a', 'a/b'],
    ['b/c/d', 'b/C/e'],
    ['system.md/x', 'y'],
  ];
  for (const [one, other] of twins) {
    const error = failure({ files: [system, file(one), file(other)] });
    assert.equal(error.code, 'invalid_pattern', one);
  }
  assert.equal(failure({ files: [system, system] }).code, 'invalid_pattern');
});

test('too many files, too large files and broken text are refused', () => {
  assert.match(
    failure({ files: [system, ...Array.from({ length: 100 }, (_, index) => file(`f${index}`))] }).message,
    /at most 100 files/,
  );
  assert.match(failure({ files: [system, file('a', 'é'.repeat(600_000))] }).message, /more than 1048576 bytes/);
  assert.match(
    failure({ files: [system, ...['a', 'b', 'c', 'd', 'e'].map((path) => file(path, 'x'.repeat(1_000_000)))] }).message,
    /at most 4194304 bytes/,
  );
  assert.equal(failure({ files: [system, file('a', 'x\0')] }).details.pointer, '/files/1');
  assert.equal(failure({ system: 'x\ud800' }).code, 'invalid_pattern');
  assert.match(failure({ system: '{{a}}'.repeat(5001) }).message, /more than 5000/);
  assert.match(
    failure({ system: Array.from({ length: 101 }, (_, index) => `{{v${index}}}`).join('') }).message,
    /more than 100 variables/,
  );
});

test('a dangerous placeholder is refused at save with its line; an import keeps it as inert text', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'a.b.c', 'x'.repeat(10_000), 'nаme']) {
    const text = `first\n{{${name}}}`;
    const error = failure({ files: [file('system.md', text)] });
    assert.deepEqual([error.code, error.status, error.details.pointer], ['invalid_pattern', 422, '/files/0']);
    assert.match(error.message, /^system\.md line 2: /);
    assert.ok(error.message.length < 600);
    const { content } = inspectVersion('greet', [file('system.md', text)], { refuseTokens: false });
    assert.deepEqual(content?.variables, []);
    assert.equal(content?.literal_tokens.length, 1);
  }
});

test('every problem of pattern.yaml is told with its line', () => {
  const error = failure({ files: [system, yaml('title: x\nmodle: y\nvariables: 3')] });
  assert.deepEqual(
    error.details.problems?.map((problem) => [problem.pointer, problem.detail.slice(0, 20)]),
    [
      ['/files/1', 'pattern.yaml line 2:'],
      ['/files/1', 'pattern.yaml line 3:'],
    ],
  );
});

test('texts are never cut in the middle of a character', () => {
  const long = '😀'.repeat(400);
  for (let shift = 0; shift < 2; shift++) {
    const text = `# ${'x'.repeat(shift)}y${long}\n\n${'x'.repeat(shift)}${long}\n{{ ${'x'.repeat(shift)}${long}}}`;
    const { title, description, literal_tokens } = readVersionContent('greet', { system: text });
    assert.ok([title, description, ...literal_tokens].every((each) => each.isWellFormed()));
    assert.equal(literal_tokens.length, 1);
  }
});

test('a title comes from the first heading that says something, else from the name', () => {
  const title = (text: string) => readVersionContent('write_pull-request', { system: text }).title;
  assert.equal(title('# Uncle Duke\n\nYou are'), 'Uncle Duke');
  assert.equal(title('\ufeff\n## Review: code ##\r\n'), 'Review: code');
  for (const text of ['# IDENTITY and PURPOSE\nx', '# Goal:', 'no heading', '#no', '# {{x}}', '# *', '#######']) {
    assert.equal(title(text), 'Write pull request');
  }
});

test('a description comes from the first paragraph of prose, cut where it is long', () => {
  const description = (text: string) => readVersionContent('x', { system: text }).description;
  assert.equal(description('# IDENTITY\r\n\r\nYou are an\r\nexpert.\r\n\r\nMore.'), 'You are an expert.');
  assert.equal(description('# A\n- list\n\n```\ncode\n```\n\n// note\n\n1. one\n\nText'), 'Text');
  assert.equal(description('# STEPS\n\n- a\n\nINPUT:'), '');
  assert.equal(description(`${'word '.repeat(100)}`).length, 300);
});

test('what is known from elsewhere stands where pattern.yaml says nothing', () => {
  const known = { description: 'From outside.', tags: ['A'] };
  const outside = readVersionContent('x', { system: 'Text' }, known);
  assert.deepEqual([outside.description, outside.tags], ['From outside.', ['A']]);
  const own = readVersionContent('x', { files: [system, yaml('description: Own.\ntags: []')] }, known);
  assert.deepEqual([own.description, own.tags], ['Own.', []]);
});

test('a description that is taken from the text holds no tags', () => {
  const text = '# Mail\n\nWrite{{#if tone}} a {{tone}}{{/if}} mail.\n{{> style}}\n';
  const files = [file('system.md', text), yaml('template: 2\nvariables: {tone: {required: false}}')];
  assert.equal(readVersionContent('mail', { files }).description, 'Write a {{tone}} mail.');
});

test('a schema and the inputs of examples may be files of the folder, and only those', () => {
  const json = 'output: {type: json, schema: schema.json}\n';
  const of = (schema: string) => [system, yaml(json), file('schema.json', schema)];
  const content = readVersionContent('greet', { files: of('{"type": "object", "required": ["b", "a"]}') });
  assert.deepEqual(content.settings.output.schema, { type: 'object', required: ['b', 'a'] });
  // What the answer must fit is part of what a run does.
  assert.notEqual(content.digest, readVersionContent('greet', { files: of('{"type": "object"}') }).digest);
  const cases: [PatternFile[], RegExp][] = [
    [[system, yaml(json)], /pattern\.yaml line 1: output\.schema names schema\.json, which is not in the folder/],
    [of('{"type": "object", "type": "array"}'), /schema\.json: is no strict JSON: the key appears twice/],
    [of('{'), /schema\.json: is no strict JSON/],
    [of('[]'), /schema\.json: the schema: must be a schema/],
    [of('{"$ref": "https://example.org/x"}'), /schema\.json: \/\$ref: .*same schema/],
    [[system, yaml('examples: [{file: a.md}]')], /example 1 names a\.md, which is not in the folder/],
    [[system, yaml('examples: [{file: ../../etc/passwd}]')], /not in the folder/],
    [[system, yaml('examples: [{input: x}]')], /example 1 has no value for name/],
    [
      [system, yaml('examples: [{name: One, input: x, variables: {nmae: y}}]')],
      /example "One" has a value for nmae, which is no variable of the pattern; did you mean name/,
    ],
  ];
  for (const [files, wanted] of cases) assert.match(failure({ files }).message, wanted);
});
