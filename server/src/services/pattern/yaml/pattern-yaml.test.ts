import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPatternYaml } from './pattern-yaml.ts';

const problemsOf = (text: string) => readPatternYaml(text).problems.map(({ line, detail }) => `${line}: ${detail}`);

test('a whole pattern.yaml', () => {
  const { yaml, problems } = readPatternYaml(`# about
title: Translate
description: >
  Translates text
  into another language.
tags: [WRITING, 2026, no]
model: openai/gpt-5-mini
parameters:
  temperature: 0.3
  top_p: 1
  presence_penalty: -2
  frequency_penalty: 0
  max_tokens: 800
  seed: 7
literal_tokens: ["{{Hostname}}", "{{ x }}"]
variables:
  lang_code:
    description: The language to translate into.
    default: de
  topic:
  tone:
    type: enum
    values: [formal, friendly, no]
    required: false
  count: { type: integer, default: 010, minimum: 1, maximum: 20 }
  share: { type: number, default: 3.10 }
  strict: { type: boolean, default: true }
  note: { max_length: 20, required: true }
`);
  assert.deepEqual(
    problems.map((problem) => problem.line),
    [25],
  );
  assert.match(problems[0]?.detail ?? '', /count: the default must be a whole number/);
  assert.equal(yaml.description, 'Translates text into another language.');
  assert.deepEqual(yaml.tags, ['WRITING', '2026', 'no']);
  assert.deepEqual(yaml.literal_tokens, ['{{Hostname}}', '{{ x }}']);
  assert.deepEqual(yaml.models, [{ name: 'openai/gpt-5-mini', weight: 1 }]);
  assert.deepEqual(yaml.parameters, {
    temperature: 0.3,
    top_p: 1,
    presence_penalty: -2,
    frequency_penalty: 0,
    max_tokens: 800,
    seed: 7,
  });
  assert.deepEqual(yaml.variables, [
    {
      name: 'lang_code',
      type: 'string',
      required: false,
      declared: true,
      description: 'The language to translate into.',
      default: 'de',
    },
    { name: 'topic', type: 'string', required: true, declared: true },
    { name: 'tone', type: 'enum', required: false, declared: true, values: ['formal', 'friendly', 'no'] },
    { name: 'share', type: 'number', required: false, declared: true, default: '3.10' },
    { name: 'strict', type: 'boolean', required: false, declared: true, default: 'true' },
    { name: 'note', type: 'string', required: true, declared: true, max_length: 20 },
  ]);
});

test('models, output, limits, examples, tools and how a run goes', () => {
  const { yaml, problems } = readPatternYaml(`
owner: Team Mail
language: pt-br
template: 2
model:
  - { name: openai/gpt-5-mini, weight: 3 }
  - name: anthropic/claude-haiku
fallbacks: [ollama/llama3.2:3b]
parameters: { reasoning_effort: low, stop: [END, 12] }
output:
  type: json
  max_characters: 2000
  schema:
    type: object
    properties:
      kind: { enum: [bug, wish, no] }
    required: [kind]
limits: { input_characters: 20000, timeout_ms: 30000 }
examples:
  - name: A bug
    input: |
      It crashes.
    variables: { tone: dry }
    output: '{"kind":"bug"}'
  - file: examples/wish.md
tools:
  - name: look_up
    description: Looks a customer up.
    parameters: { type: object, properties: { id: { type: string } } }
data_class: confidential
on_uncertain: review
cache: { ttl_seconds: 3600 }
`);
  assert.deepEqual(problems, []);
  assert.deepEqual(yaml, {
    owner: 'Team Mail',
    language: 'pt-BR',
    template: 2,
    models: [
      { name: 'openai/gpt-5-mini', weight: 3 },
      { name: 'anthropic/claude-haiku', weight: 1 },
    ],
    fallbacks: ['ollama/llama3.2:3b'],
    limits: { input_characters: 20000, timeout_ms: 30000 },
    tools: [
      {
        name: 'look_up',
        description: 'Looks a customer up.',
        parameters: { type: 'object', properties: { id: { type: 'string' } } },
      },
    ],
    examples: [
      {
        name: 'A bug',
        input: 'It crashes.\n',
        file: null,
        variables: { tone: 'dry' },
        output: '{"kind":"bug"}',
        line: 20,
      },
      { name: null, input: null, file: 'examples/wish.md', variables: {}, output: null, line: 25 },
    ],
    output: {
      type: 'json',
      schema: { type: 'object', properties: { kind: { enum: ['bug', 'wish', 'no'] } }, required: ['kind'] },
      max_characters: 2000,
    },
    data_class: 'confidential',
    on_uncertain: 'review',
    cache: { ttl_seconds: 3600 },
    parameters: { reasoning_effort: 'low', stop: ['END', '12'] },
    variables: [],
    literal_tokens: [],
  });
});

test('an empty file says nothing', () => {
  for (const text of ['', '\n', '# only a comment\n', '---\n', '{}', '~', 'variables:\nparameters: {}\n']) {
    assert.deepEqual(readPatternYaml(text), {
      yaml: { parameters: {}, variables: [], literal_tokens: [] },
      problems: [],
    });
  }
});

test('an unknown key is refused with its line and the keys that are known', () => {
  assert.deepEqual(problemsOf('title: x\n\nmodle: a/b\n'), [
    '3: "modle" is not a key of pattern.yaml; did you mean model. Known: title, description, tags, owner, language, template, variables, steps, literal_tokens, model, fallbacks, parameters, output, limits, examples, tools, data_class, store, checks, redact, mark_input, on_uncertain, cache',
  ]);
  assert.match(problemsOf('parameters:\n  temprature: 1')[0] ?? '', /^2: .*Known: temperature, top_p/);
  assert.match(problemsOf('variables:\n  a:\n    typ: string')[0] ?? '', /^3: .*Known: type, description, required/);
  assert.match(problemsOf('constructor: 1')[0] ?? '', /not a key/);
});

test('every problem is told, in the order of lines', () => {
  const problems = problemsOf('a: 1\nmodel: gpt\nparameters: {seed: 1.5, top_p: 2}\nvariables: {x: {type: list}}\n');
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, 2)),
    ['1:', '2:', '3:', '3:', '4:'],
  );
});

test('values of the wrong kind are refused', () => {
  const cases: [string, RegExp][] = [
    ['- a', /"key: value" lines/],
    ['just text', /"key: value" lines/],
    ['template: 3', /template must be one of 1, 2/],
    ['language: german!', /BCP 47/],
    ['language: x', /BCP 47/],
    ['model: []', /1 to 10 entries/],
    ['model: [{weight: 2}]', /entry 1 of model needs name/],
    ['model: [{name: a/b, weight: 0}]', /weight must be a whole number from 1 to 1000/],
    ['model: [{name: a/b}, {name: a/b}]', /twice under model/],
    ['fallbacks: [gpt]', /entry 1 of fallbacks "gpt" must be written as provider\/model/],
    ['parameters: {reasoning_effort: hihg}', /one of none, minimal, low, medium, high; did you mean high/],
    ['parameters: {stop: [a, b, c, d, e]}', /stop must hold 1 to 4/],
    ['output: {type: jsn}', /one of markdown, text, json; did you mean json/],
    ['output: {type: text, schema: {type: object}}', /schema is for type json/],
    ['output: {type: json, schema: schema.yaml}', /name a \.json file/],
    ['output: {type: json, schema: {type: objct}}', /output\.schema\/type: .*did you mean object/],
    ['output: {type: json, schema: {$ref: "http://x"}}', /same schema/],
    ['output: {max_characters: 1.5}', /whole number/],
    ['output: {max: 1}', /"max" is not a key of output.*Known: type, schema, max_characters/],
    ['limits: {timeout_ms: 10}', /from 100 to 3600000/],
    ['examples: [{name: a}]', /either input or file/],
    ['examples: [{input: a, file: b}]', /either input or file/],
    ['examples: [{input: a, variables: {a.b: x}}]', /cannot name a variable/],
    ['tools: [{name: a b, parameters: {type: object}}]', /letters, digits/],
    ['tools: [{name: a}]', /entry 1 of tools needs parameters/],
    ['tools: [{name: a, parameters: {type: string}}]', /must say type: object/],
    ['tools: [{name: a, parameters: {type: object}}, {name: a, parameters: {type: object}}]', /two tools named a/],
    ['data_class: secret', /public, internal, confidential, personal/],
    ['on_uncertain: again', /retry, fail, review/],
    ['cache: {}', /cache needs ttl_seconds/],
    ['cache: {ttl_seconds: 0}', /from 1 to 2592000/],
    ['cache: true', /"key: value" lines/],
    ['title:', /title must be a text/],
    ['title: [a]', /title must be a text/],
    ['title: "a\\nb"', /cannot be shown/],
    ['title: "\\0"', /cannot be shown/],
    ['title: "\\uD800"', /cannot be shown/],
    [`title: ${'x'.repeat(201)}`, /200 are allowed/],
    ['tags: a', /tags must be a list/],
    ['tags: [""]', /must not be empty/],
    ['model: GPT/4', /provider\/model/],
    ['model: ../../x', /provider\/model/],
    ['parameters: {temperature: "1"}', /must be a number/],
    ['parameters: {temperature: .nan}', /must be a number/],
    ['parameters: {temperature: 2.1}', /from 0 to 2/],
    ['parameters: {seed: -1}', /whole number from 0/],
    ['literal_tokens: ["Hostname"]', /with its braces/],
    ['literal_tokens: ["{{a}} {{b}}"]', /with its braces/],
    ['literal_tokens: [{{a}}]', /must be a text/],
    ['variables: [a]', /"key: value" lines/],
    ['variables: {input: {}}', /cannot name a variable/],
    ['variables: {__proto__: {}}', /cannot name a variable/],
    ['variables: {constructor: {}}', /cannot name a variable/],
    ['variables: {a.b: {}}', /cannot name a variable/],
    ['variables: {a: text}', /"key: value" lines/],
    ['variables: {a: {type: enum}}', /go together/],
    ['variables: {a: {values: [x]}}', /go together/],
    ['variables: {a: {type: enum, values: [x, x]}}', /twice/],
    ['variables: {a: {type: enum, values: []}}', /1 to 100/],
    ['variables: {a: {type: enum, values: [x], default: y}}', /one of x/],
    ['variables: {a: {type: integer, default: x}}', /whole number/],
    ['variables: {a: {type: integer, minimum: 3, maximum: 1}}', /above maximum/],
    ['variables: {a: {minimum: 3}}', /for numbers/],
    ['variables: {a: {type: integer, max_length: 3}}', /for type string/],
    ['variables: {a: {max_length: 0}}', /whole number from 1/],
    ['variables: {a: {required: true, default: x}}', /never missing/],
    ['variables: {a: {required: yes}}', /true or false/],
    ['variables: {a: {default: }}', /default must be a text/],
    ['variables: {a: }\nliteral_tokens: ["{{a}}"]', /remove one/],
    [`variables: {${Array.from({ length: 101 }, (_, index) => `v${index}: `).join(', ')}}`, /at most 100 variables/],
  ];
  for (const [text, wanted] of cases) assert.match(problemsOf(text).join('\n'), wanted, text);
});

test('bounds below zero are read', () => {
  const { problems } = readPatternYaml('variables: {a: {type: number, maximum: -1}}');
  assert.deepEqual(problems, []);
});

test('nothing that YAML can expand, refer to or construct is read', () => {
  const cases = [
    'title: &a x\ndescription: *a',
    'parameters: &p {seed: 1}',
    'variables: {a: &x {}, b: *x}',
    'output: {type: json, schema: &s {type: object, properties: {a: *s}}}',
    'output: {type: json, schema: {a: !!binary x}}',
    'output: {type: json, schema: {<<: {type: object}}}',
    'output: {type: json, schema: {type: object, type: object}}',
    'tools: [{name: a, parameters: {type: object, properties: {__proto__: {}}}}]',
    'examples: [{input: 2026-01-01, variables: {a: !!timestamp 2026-01-01}}]',
    'variables: {a: {<<: {type: string}}}',
    '<<: {title: x}',
    'title: !!js/function "function () {}"',
    'title: !!str x',
    'title: !custom x',
    '!!map {title: x}',
    '!!python/object/apply:os.system ["id"]',
    'title: a\ntitle: b',
    'variables: {a: {}, a: {}}',
    'parameters: {seed: 1, "seed": 2}',
    '__proto__: {title: x}',
    '? [a]\n: 1',
    '%YAML 1.1\n---\ntitle: yes',
    'title: a\n---\ntitle: b',
    '\ttitle: a',
    'title: "open',
    'title: [',
    'title: @x',
  ];
  for (const text of cases) assert.notEqual(problemsOf(text).length, 0, text);
  assert.equal(({} as Record<string, unknown>).title, undefined);
});

test('words that other YAML versions turn into booleans stay words', () => {
  assert.equal(readPatternYaml('title: no').yaml.title, 'no');
  assert.equal(readPatternYaml('title: on').yaml.title, 'on');
  assert.equal(readPatternYaml('title: 12:30:00').yaml.title, '12:30:00');
  assert.equal(readPatternYaml('title: 2026-11-23').yaml.title, '2026-11-23');
});

test('hostile YAML is refused in under 200 ms', () => {
  const size = 64 * 1024;
  const fill = (text: string) => text.repeat(Math.floor(size / text.length));
  const lines = (text: string) => `${text}\n`.repeat(1990);
  const bomb = `a: &a [x, x]\n${Array.from({ length: 30 }, (_, index) => `b${index}: &b${index} [*a, *a]`).join('\n')}`;
  const texts = [
    ...[
      '[',
      '{',
      '{a: ',
      '- ',
      '? ',
      '[]',
      ': ',
      '"',
      "'",
      ',',
      '&a ',
      '*a ',
      '!a ',
      '!<',
      '# ',
      '---\n',
      '%F\n',
      '\ta: 1\n',
      '\r',
      '\0',
      '\ufeff',
      '|\n',
      '> ',
      '@ ',
      'a: 1\n',
      '<<: *a\n',
    ].map(fill),
    ...['- &a', 'a: "x', "a: 'x", '- - - -', 'a: |', '%F', '? a', 'k: {<<: *a}'].map(lines),
    `[${fill(',').slice(2)}`,
    `a: "${fill('\\x').slice(8)}`,
    `a: "${fill('\\U00110000').slice(20)}"`,
    `${fill('[').slice(size / 2)}${fill(']').slice(size / 2)}`,
    `parameters: {seed: ${'9'.repeat(60_000)}}`,
    `x: ${'y'.repeat(100 * 1024 * 1024)}`,
    Array.from({ length: 7000 }, (_, index) => `k${index}: 1`).join('\n'),
    `steps:\n${Array.from({ length: 100 }, (_, index) => `  s${index}${'ab'.repeat(22)}: {input: [${`$steps.z${'ab'.repeat(22)}.output,`.repeat(8)}]}`).join('\n')}`,
    bomb,
  ];
  readPatternYaml('title: warm');
  for (const text of texts) {
    // The machine's other work is not counted: the best of three.
    const times = [0, 1, 2].map(() => {
      const from = performance.now();
      const { problems } = readPatternYaml(text);
      assert.ok(problems.length <= 20);
      return performance.now() - from;
    });
    assert.ok(Math.min(...times) < 200, `${JSON.stringify(text.slice(0, 30))} took ${times.join(', ')} ms`);
  }
});
