import { type Static, Type } from 'typebox';
import { namePattern } from './field.ts';
import { Parameters } from './parameters.ts';
import { mapping, modelName, oneOf, raw, text, variableName } from './yaml-field.ts';

const patternName = (description: string) => text(100, { pattern: namePattern, description });

/** What a step says: one part or several, each a text or a reference. */
const parts = (description: string) =>
  Type.Unsafe<string | string[]>({
    anyOf: [
      raw(16 * 1024, 'A text, or a reference that begins with $.'),
      Type.Array(raw(16 * 1024, 'A text, or a reference that begins with $.'), { minItems: 1, maxItems: 50 }),
    ],
    description,
  });

const reference = (description: string) => text(500, { description });

const version = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'This version of it; else the newest.' }),
);
const label = Type.Optional(patternName('The version that this label points to.'));

const variables = Type.Optional(
  Type.Record(Type.String({ pattern: variableName }), parts('The value.'), {
    maxProperties: 100,
    description: "Values of the pattern's variables.",
  }),
);

const Condition = mapping({
  ref: reference('The reference that is judged.'),
  equals: Type.Optional(raw(1000, 'It is this text; white space at the edges does not count.')),
  not_equals: Type.Optional(raw(1000, 'It is not this text.')),
  contains: Type.Optional(raw(1000, 'It has this text in it, or this entry, where it is a list.')),
  above: Type.Optional(Type.Number({ description: 'It is a number above this one.' })),
  below: Type.Optional(Type.Number({ description: 'It is a number below this one.' })),
  exists: Type.Optional(Type.Boolean({ description: 'There is something: no skipped step, no null, no empty text.' })),
});

const reduce = mapping({ pattern: patternName('The pattern that merges answers.'), version, label, variables });

const Step = mapping({
  pattern: Type.Optional(patternName('The pattern that the step runs; it may be a chain itself.')),
  version,
  label,
  input: Type.Optional(
    parts('What goes in: a reference, a text, or several of them. Else $input, and $item where there is for_each.'),
  ),
  variables,
  when: Type.Optional(
    Type.Unsafe<Static<typeof Condition> | Static<typeof Condition>[]>({
      anyOf: [Condition, Type.Array(Condition, { minItems: 1, maxItems: 20 })],
      description: 'The step is skipped unless this holds; of several all.',
    }),
  ),
  for_each: Type.Optional(reference('The step is done for each entry of this list.')),
  max_items: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'More entries fail the step; else 100.' }),
  ),
  parallel: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 50, description: 'Entries or parts under way at once; else 5.' }),
  ),
  map_reduce: Type.Optional(
    mapping(
      {
        size: Type.Integer({ minimum: 500, maximum: 2_000_000, description: 'Characters of a part.' }),
        overlap: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 900_000,
            description: 'Characters that a part repeats of the one before; else none.',
          }),
        ),
        reduce: Type.Unsafe<string | Static<typeof reduce>>({
          anyOf: [patternName('The pattern that merges answers.'), reduce],
          description: 'The pattern that merges the answers to the parts.',
        }),
      },
      'A long input is cut at paragraphs or sentences, done in parts, and the answers are merged.',
    ),
  ),
  after: Type.Optional(
    Type.Array(text(50), {
      maxItems: 100,
      description: 'Steps that must have ended before, beside those referred to.',
    }),
  ),
  retry: Type.Optional(
    mapping(
      {
        times: Type.Integer({ minimum: 1, maximum: 5, description: 'How often it is tried again.' }),
        wait_ms: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 3_600_000, description: 'Before each further try; else 1000.' }),
        ),
      },
      'When it fails, it is tried again.',
    ),
  ),
  timeout_ms: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000, description: 'A call takes no longer.' })),
  on_error: Type.Optional(
    Type.Unsafe<'fail' | 'skip' | { value: unknown }>({
      anyOf: [
        oneOf(['fail', 'skip'], 'fail ends the run, skip goes on without the step.'),
        mapping({ value: Type.Unsafe<unknown>({ json: true, description: 'Counts as its answer.' }) }),
      ],
      description: 'When all tries failed: fail (the default), skip, or a value to go on with.',
    }),
  ),
  approval: Type.Optional(
    mapping(
      {
        message: parts('What the person is asked.'),
        timeout_seconds: Type.Optional(
          Type.Integer({ minimum: 60, maximum: 31_536_000, description: 'How long it waits; else 30 days.' }),
        ),
        on_timeout: Type.Optional(oneOf(['approve', 'reject'], 'What counts then; else reject.')),
      },
      'Instead of a pattern: the chain waits until a person has decided.',
    ),
  ),
  model: Type.Optional(modelName('Goes before the model of the pattern.')),
  parameters: Type.Optional(Type.Unsafe<object>({ ...Parameters, description: 'Go over those of the pattern.' })),
});
export type StepYaml = Static<typeof Step>;

/** The steps of a chain. `named` says what a key is, for messages. */
export const Steps = Type.Optional(
  Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_-]{0,49}$' }), Step, {
    maxProperties: 100,
    named: 'a step: use lower case letters, digits, _ and -, beginning with a letter (at most 50)',
    description: 'Makes the pattern a chain: steps that run other patterns. It has no system.md then.',
  }),
);
