import { type Static, Type } from 'typebox';
import { Name } from './field.ts';
import { Parameters } from './parameters.ts';

const Parts = Type.Array(Type.String(), {
  description: 'Texts and references as they were written; an empty line goes between them.',
});
const Values = Type.Record(Type.String(), Parts);
const PinnedNumber = Type.Union([
  Type.Integer({ description: 'Null: it follows the label, or the newest.' }),
  Type.Null(),
]);
const Label = Type.Union([Name, Type.Null()]);

export const StepCondition = Type.Object({
  ref: Type.String(),
  test: Type.Union([
    Type.Literal('equals'),
    Type.Literal('not_equals'),
    Type.Literal('contains'),
    Type.Literal('above'),
    Type.Literal('below'),
    Type.Literal('exists'),
  ]),
  value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
});

/** A step of a chain as its version says it. */
export const ChainStep = Type.Object({
  name: Type.String(),
  pattern: Type.Union([Name, Type.Null()], { description: 'Null: the step waits for a person.' }),
  version: PinnedNumber,
  label: Label,
  needs: Type.Array(Type.String(), { description: 'Steps that end before it begins.' }),
  input: Parts,
  variables: Values,
  when: Type.Array(StepCondition),
  for_each: Type.Union([Type.String(), Type.Null()]),
  max_items: Type.Integer(),
  parallel: Type.Integer(),
  map_reduce: Type.Union([
    Type.Object({
      size: Type.Integer(),
      overlap: Type.Integer(),
      reduce: Type.Object({ pattern: Name, version: PinnedNumber, label: Label, variables: Values }),
    }),
    Type.Null(),
  ]),
  retry: Type.Object({ times: Type.Integer(), wait_ms: Type.Integer() }),
  timeout_ms: Type.Union([Type.Integer(), Type.Null()]),
  on_error: Type.Union([
    Type.Literal('fail'),
    Type.Literal('skip'),
    Type.Object({ output: Type.String(), data: Type.Optional(Type.Unknown()) }),
  ]),
  approval: Type.Union([
    Type.Object({
      message: Parts,
      timeout_seconds: Type.Integer(),
      on_timeout: Type.Union([Type.Literal('approve'), Type.Literal('reject')]),
    }),
    Type.Null(),
  ]),
  model: Type.Union([Type.String(), Type.Null()]),
  parameters: Parameters,
});
export type ChainStep = Static<typeof ChainStep>;
