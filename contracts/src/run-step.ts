import { type Static, Type } from 'typebox';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { Id, MicroUnits, Name, Time } from './field.ts';
import { RunFlag } from './guard.ts';
import { Attempt, Usage } from './run.ts';

/** A step of a chain's run, an item of its list or a part of its text. */
export const RunStep = Type.Object({
  path: Type.String({
    description: 'outline, sections[3], inner/draft, long/map[0], long/reduce1[0]; empty for a run that is no chain.',
  }),
  state: Type.Union(
    [
      Type.Literal('running'),
      Type.Literal('waiting'),
      Type.Literal('succeeded'),
      Type.Literal('failed'),
      Type.Literal('skipped'),
    ],
    { description: 'Of steps that have not begun there is none.' },
  ),
  waits_for: Type.Union([Type.Literal('approval'), Type.Literal('review'), Type.Literal('retry'), Type.Null()], {
    description: 'What a waiting step waits for; an approval asks in its output.',
  }),
  until: Type.Union([Time, Type.Null()], { description: 'For how long it waits at most.' }),
  pattern: Type.Union([Name, Type.Null()], { description: 'Null for an approval.' }),
  version: Type.Union([Type.Integer(), Type.Null()], { description: 'The version that was pinned.' }),
  model: Type.Union([Type.String(), Type.Null()]),
  attempts: Type.Array(Attempt),
  usage: Usage,
  cost_micros: Type.Union([MicroUnits, Type.Null()], { description: 'Null: not known.' }),
  error: Type.Union([
    Type.Null(),
    Type.Object({
      code: Type.Unsafe<ErrorCode>(Type.Union(Object.keys(errorCatalogue).map((code) => Type.Literal(code)))),
      detail: Type.String(),
    }),
  ]),
  output: Type.Union([Type.String(), Type.Null()]),
  data: Type.Optional(Type.Unknown({ description: 'The output as a value, where its pattern answers JSON.' })),
  flags: Type.Optional(Type.Array(RunFlag, { description: 'What checks of its pattern found in its answer.' })),
  decision: Type.Optional(
    Type.Object({
      decision: Type.Union([
        Type.Literal('approve'),
        Type.Literal('reject'),
        Type.Literal('retry'),
        Type.Literal('fail'),
      ]),
      comment: Type.Union([Type.String(), Type.Null()]),
      actor: Id,
      at: Time,
    }),
  ),
  started_at: Type.Union([Time, Type.Null()]),
  finished_at: Type.Union([Time, Type.Null()]),
});
export type RunStep = Static<typeof RunStep>;
