import { type Static, Type } from 'typebox';
import { Steps } from './chain-yaml.ts';
import { detectorKinds, expressionLimit, guardName } from './guard.ts';
import { Parameters } from './parameters.ts';
import { filePath, jsonSchema, mapping, modelName, oneOf, raw, text, variableName } from './yaml-field.ts';

const classes = ['public', 'internal', 'confidential', 'personal'] as const;

const Variable = mapping({
  type: Type.Optional(oneOf(['string', 'integer', 'number', 'boolean', 'enum'], 'What a value must be; else string.')),
  description: Type.Optional(text(500, { lines: true, description: 'For people.' })),
  required: Type.Optional(
    Type.Boolean({ description: 'False: without a value and a default it is empty. True unless there is a default.' }),
  ),
  default: Type.Optional(raw(16 * 1024, 'The value where a run sends none.')),
  values: Type.Optional(
    Type.Array(raw(200, 'One of them.'), { minItems: 1, maxItems: 100, description: 'What an enum allows.' }),
  ),
  max_length: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1024 * 1024, description: 'Characters that a string may have.' }),
  ),
  minimum: Type.Optional(Type.Number({ description: 'Of an integer or number.' })),
  maximum: Type.Optional(Type.Number({ description: 'Of an integer or number.' })),
  untrusted: Type.Optional(
    Type.Boolean({
      description: 'true: strangers write its values, which are then marked as data; false: only people you trust do.',
    }),
  ),
  data_class: Type.Optional(
    oneOf([...classes], 'A run that is given a value has this data class, unless the pattern has a higher one.'),
  ),
});

const Example = mapping({
  name: Type.Optional(text(100, { description: 'What it shows.' })),
  input: Type.Optional(raw(32 * 1024, 'The input; or name a file.')),
  file: Type.Optional(filePath('A file of this folder that holds the input.')),
  variables: Type.Optional(
    Type.Record(Type.String({ pattern: variableName }), raw(16 * 1024, 'The value.'), {
      maxProperties: 100,
      description: 'Values of variables.',
    }),
  ),
  output: Type.Optional(raw(32 * 1024, 'A good answer.')),
});

const Tool = mapping({
  name: text(64, { pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'Letters, digits, _ and -.' }),
  description: Type.Optional(text(10_000, { lines: true, description: 'Tells the model when to call it.' })),
  parameters: jsonSchema('A JSON Schema of an object.'),
});

const Output = mapping({
  type: Type.Optional(oneOf(['markdown', 'text', 'json'], 'Else markdown.')),
  schema: Type.Optional(
    Type.Union([filePath('A .json file of this folder that holds it.'), jsonSchema('The schema itself.')], {
      description: 'JSON Schema that the answer must fit; for type json.',
    }),
  ),
  max_characters: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Longer answers fail the run.' }),
  ),
});

const expression = (description: string) => text(expressionLimit, { description });
const kindsOf = (description: string) =>
  Type.Array(oneOf(detectorKinds, 'What the platform finds by itself.'), { minItems: 1, maxItems: 5, description });

const Check = mapping({
  detect: Type.Optional(
    kindsOf('It holds a secret, a payment card, an e-mail address, a telephone number or an IBAN.'),
  ),
  words: Type.Optional(
    Type.Array(text(200), { minItems: 1, maxItems: 200, description: 'It holds one of these; capitals do not count.' }),
  ),
  expressions: Type.Optional(
    Type.Array(expression('A regular expression without look-around and back references.'), {
      minItems: 1,
      maxItems: 20,
      description: 'It holds what one of these matches.',
    }),
  ),
  prompt_leak: Type.Optional(Type.Boolean({ description: 'It gives away the instructions of the pattern.' })),
  on_fail: Type.Optional(
    oneOf(
      ['block', 'flag', 'mask'],
      'block (else): the run fails; flag: it is noted on the run; mask, of detect: what was found is taken out.',
    ),
  ),
});

const rule = 'use lower case letters, digits, _ and -, beginning with a letter (at most 50)';

const Redact = mapping({
  kinds: Type.Optional(kindsOf('What is taken out: [email] stands in its place.')),
  expressions: Type.Optional(
    Type.Record(Type.String({ pattern: guardName }), expression('What is taken out; its name stands in its place.'), {
      maxProperties: 20,
      named: `a kind: ${rule}`,
      description: 'Regular expressions of your own, without look-around and back references, by name.',
    }),
  ),
  model: Type.Optional(Type.Boolean({ description: 'true: the model does not get to see it either; else it does.' })),
});

/**
 * The fields of pattern.yaml: the one source of the reader's rules, of the schema for editors and of their descriptions.
 * `lines` marks a text that may hold line breaks, `json` a value that is taken as JSON.
 */
export const PatternYaml = mapping({
  title: Type.Optional(text(200, { description: 'Else the first heading that says something, else the name.' })),
  description: Type.Optional(
    text(2000, { lines: true, description: "Else Fabric's list of descriptions, else the first paragraph." }),
  ),
  tags: Type.Optional(Type.Array(text(50), { maxItems: 20, description: 'Words to find the pattern by.' })),
  owner: Type.Optional(text(200, { description: 'Who answers for the pattern: a person or a team.' })),
  language: Type.Optional(
    text(35, {
      pattern: '^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}$',
      description: 'BCP 47, such as de or pt-BR: the language of the answer. Unless it is en, an instruction is added.',
    }),
  ),
  template: Type.Optional(
    Type.Unsafe<1 | 2>({
      enum: [1, 2],
      description: '2: system.md may hold {{#if}}, {{#unless}} and {{> pattern}}. Else 1: such text stays as it is.',
    }),
  ),
  variables: Type.Optional(
    Type.Record(Type.String({ pattern: variableName }), Type.Unsafe<object>({ anyOf: [Variable, { type: 'null' }] }), {
      maxProperties: 100,
      description: 'Name and rule of each; a name alone is a text that is always needed.',
    }),
  ),
  steps: Steps,
  literal_tokens: Type.Optional(
    Type.Array(text(200), { maxItems: 100, description: 'Tokens that stay text, with their braces.' }),
  ),
  model: Type.Optional(
    Type.Union(
      [
        modelName('provider/model'),
        Type.Array(
          mapping({
            name: modelName('provider/model'),
            weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Its share; else 1.' })),
          }),
          { minItems: 1, maxItems: 10 },
        ),
      ],
      { description: 'Used where a run names no model: provider/model, or several with weights.' },
    ),
  ),
  fallbacks: Type.Optional(
    Type.Array(modelName('provider/model'), { maxItems: 10, description: 'Models to try, in order, when those fail.' }),
  ),
  parameters: Type.Optional(Type.Unsafe<object>({ ...Parameters, description: 'Each may be overridden by a run.' })),
  output: Type.Optional(
    Type.Unsafe<string | Static<typeof Output>>({
      anyOf: [text(500, { description: 'Of a chain: a reference, such as $steps.answer.output.' }), Output],
      description: 'What the answer is.',
    }),
  ),
  limits: Type.Optional(
    mapping(
      {
        input_characters: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 4 * 1024 * 1024, description: 'Longer inputs are refused.' }),
        ),
        timeout_ms: Type.Optional(
          Type.Integer({
            minimum: 100,
            maximum: 3_600_000,
            description: 'A run takes no longer; a run may ask for less.',
          }),
        ),
      },
      'Bounds of a run.',
    ),
  ),
  examples: Type.Optional(Type.Array(Example, { maxItems: 50, description: 'Inputs to try, with good answers.' })),
  tools: Type.Optional(
    Type.Array(Tool, {
      maxItems: 50,
      description: 'Tools that the model may ask to be called. The caller executes them.',
    }),
  ),
  data_class: Type.Optional(
    oneOf(
      [...classes],
      'How carefully the texts are to be handled; else internal. Retention goes by it, and personal texts that name a subject are sealed with a key of that subject.',
    ),
  ),
  store: Type.Optional(
    oneOf(
      ['all', 'none'],
      'none: inputs and outputs are not stored, only the record (tokens, cost, status). A queued run or batch keeps its input sealed until it ends. No sessions, no cache, no chains. Else all.',
    ),
  ),
  checks: Type.Optional(
    Type.Unsafe<Record<string, Static<typeof Check>>>(
      Type.Record(Type.String({ pattern: guardName }), Check, {
        maxProperties: 20,
        named: `a check: ${rule}`,
        description:
          'What an answer must not hold. Each check has a name, which stands on the runs that it found something in.',
      }),
    ),
  ),
  redact: Type.Optional(
    Type.Unsafe<Static<typeof Redact>>({
      ...Redact,
      description: 'Taken out of inputs and answers before they are stored.',
    }),
  ),
  mark_input: Type.Optional(
    Type.Boolean({
      description:
        'Puts a boundary around the input and the values of variables, and tells the model that they are data.',
    }),
  ),
  on_uncertain: Type.Optional(
    oneOf(['retry', 'fail', 'review'], 'When a call went out and no verdict came back; else fail.'),
  ),
  cache: Type.Optional(
    mapping(
      { ttl_seconds: Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'How long an answer stays good.' }) },
      'Answers to exactly the same request are kept and given again.',
    ),
  ),
});
export type PatternYaml = Static<typeof PatternYaml>;
