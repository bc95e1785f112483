import { type Static, Type } from 'typebox';
import { ChainStep } from './chain.ts';
import { Digest, Name, Time } from './field.ts';
import { OutputCheck, Redaction } from './guard.ts';
import { Tool } from './message.ts';

export const DataClass = Type.Union([
  Type.Literal('public'),
  Type.Literal('internal'),
  Type.Literal('confidential'),
  Type.Literal('personal'),
]);
export type DataClass = Static<typeof DataClass>;

/** From the least careful to the most careful one. */
export const dataClasses = ['public', 'internal', 'confidential', 'personal'] as const satisfies readonly DataClass[];

export const StoreTexts = Type.Union([Type.Literal('all'), Type.Literal('none')], {
  description: 'none: inputs and outputs of runs are not stored.',
});
export type StoreTexts = Static<typeof StoreTexts>;

export const OnUncertain = Type.Union([Type.Literal('retry'), Type.Literal('fail'), Type.Literal('review')], {
  description: 'What to do when a call went out and no verdict came back.',
});
export type OnUncertain = Static<typeof OnUncertain>;

export const OutputType = Type.Union([Type.Literal('markdown'), Type.Literal('text'), Type.Literal('json')]);
export type OutputType = Static<typeof OutputType>;

export const WeightedModel = Type.Object({
  name: Type.String({ description: 'provider/model' }),
  weight: Type.Integer({ description: 'Its share of the runs, against the sum of all weights.' }),
});
export type WeightedModel = Static<typeof WeightedModel>;

/** A JSON Schema of an author. It was checked when it was published: bounded, without remote or circular references. */
export const AuthorSchema = Type.Object({}, { additionalProperties: true });

export const PatternExample = Type.Object({
  name: Type.Union([Type.String(), Type.Null()]),
  input: Type.Union([Type.String(), Type.Null()], { description: 'Null: it is in `file`.' }),
  file: Type.Union([Type.String(), Type.Null()], { description: 'Path of the file that holds the input.' }),
  variables: Type.Record(Type.String(), Type.String()),
  output: Type.Union([Type.String(), Type.Null()], { description: 'A good answer.' }),
});
export type PatternExample = Static<typeof PatternExample>;

/** Another pattern's text that a version holds, pinned when the version was published. */
export const PatternInclude = Type.Object({
  pattern: Name,
  section: Type.Union([Type.String(), Type.Null()], { description: 'Null: the whole text.' }),
  version: Type.Integer(),
  digest: Digest,
  through: Type.Array(Name, { description: 'The included patterns that lead to this one; empty for a direct one.' }),
});
export type PatternInclude = Static<typeof PatternInclude>;

/** What pattern.yaml settles beside texts and variables. Null: it says nothing. */
export const PatternSettings = Type.Object({
  owner: Type.Union([Type.String(), Type.Null()]),
  language: Type.Union([Type.String(), Type.Null()], { description: 'BCP 47: the language of the answer.' }),
  template: Type.Union([Type.Literal(1), Type.Literal(2)], { description: '2: blocks and includes are read.' }),
  models: Type.Array(WeightedModel, { description: 'What runs without a model use; `model` is the first.' }),
  fallbacks: Type.Array(Type.String(), { description: 'Tried in this order after them.' }),
  output: Type.Object({
    type: OutputType,
    schema: Type.Union([AuthorSchema, Type.Null()]),
    max_characters: Type.Union([Type.Integer(), Type.Null()]),
    from: Type.Optional(Type.String({ description: 'Of a chain: the reference that gives its answer.' })),
  }),
  limits: Type.Object({
    input_characters: Type.Union([Type.Integer(), Type.Null()]),
    timeout_ms: Type.Union([Type.Integer(), Type.Null()]),
  }),
  examples: Type.Array(PatternExample),
  tools: Type.Array(Tool),
  data_class: DataClass,
  checks: Type.Array(OutputCheck, { description: 'What an answer must not hold.' }),
  redact: Type.Union([Redaction, Type.Null()], { description: 'What is taken out of texts before they are stored.' }),
  mark_input: Type.Boolean({
    description: 'Input and values stand within a boundary that tells them from instructions.',
  }),
  store: StoreTexts,
  on_uncertain: OnUncertain,
  cache: Type.Union([Type.Object({ ttl_seconds: Type.Integer() }), Type.Null()]),
  includes: Type.Array(PatternInclude),
  steps: Type.Array(ChainStep, { description: 'Of a chain, in an order in which they can run; else empty.' }),
});
export type PatternSettings = Static<typeof PatternSettings>;

/** The settings of a pattern without a pattern.yaml. */
export const defaultSettings: PatternSettings = {
  owner: null,
  language: null,
  template: 1,
  models: [],
  fallbacks: [],
  output: { type: 'markdown', schema: null, max_characters: null },
  limits: { input_characters: null, timeout_ms: null },
  examples: [],
  tools: [],
  data_class: 'internal',
  checks: [],
  redact: null,
  mark_input: false,
  store: 'all',
  on_uncertain: 'fail',
  cache: null,
  includes: [],
  steps: [],
};

/** Says that a pattern should not be used any more. */
export const Deprecation = Type.Object({
  successor: Type.Union([Name, Type.Null()], { description: 'The pattern to use instead.' }),
  message: Type.Union([Type.String(), Type.Null()]),
  at: Time,
});
export type Deprecation = Static<typeof Deprecation>;
