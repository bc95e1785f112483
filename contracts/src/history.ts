import { type Static, Type } from 'typebox';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { Pattern } from './pattern.ts';

export const FileDiff = Type.Object({
  path: Type.String(),
  change: Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]),
  added: Type.Integer({ description: 'Lines that are new.' }),
  removed: Type.Integer({ description: 'Lines that are gone.' }),
  diff: Type.String({ description: 'Unified, with three lines around each change.' }),
  cut: Type.Boolean({ description: 'The diff is longer than what is shown.' }),
});
export type FileDiff = Static<typeof FileDiff>;

export const SettingChange = Type.Object({
  field: Type.String({ description: 'Such as parameters.temperature.' }),
  before: Type.Union([Type.String(), Type.Null()], { description: 'JSON; null: it was not there.' }),
  after: Type.Union([Type.String(), Type.Null()], { description: 'JSON; null: it is not there.' }),
});
export type SettingChange = Static<typeof SettingChange>;

export const VersionDiff = Type.Object({
  pattern: Name,
  from: Type.Integer(),
  to: Type.Integer(),
  files: Type.Array(FileDiff, { description: 'Only those that differ.' }),
  settings: Type.Array(SettingChange),
});
export type VersionDiff = Static<typeof VersionDiff>;

export const LabelMove = Type.Object({
  label: Name,
  before: Type.Union([Type.Integer(), Type.Null()], { description: 'Null: there was no such label.' }),
  after: Type.Union([Type.Integer(), Type.Null()], { description: 'Null: the label was removed.' }),
  moved_at: Time,
  moved_by: Type.Union([Id, Type.Null()]),
  author: Type.Union([Type.String(), Type.Null()], { description: 'The name that the key or member had.' }),
});
export type LabelMove = Static<typeof LabelMove>;

const byName = { pattern: Name };

export const historyOperations = {
  diffVersions: operation({
    method: 'GET',
    path: '/v1/patterns/{pattern}/diff',
    permission: 'pattern:read',
    summary: 'What changed between two versions: files and settings',
    input: strict({
      ...byName,
      from: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'The version before `to` by default.' }),
      ),
      to: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'The newest by default.' })),
    }),
    output: VersionDiff,
    status: 200,
    errors: ['not_found'],
  }),
  listLabelMoves: operation({
    method: 'GET',
    path: '/v1/patterns/{pattern}/label-moves',
    permission: 'pattern:read',
    summary: 'Who pointed which label where and when, newest first',
    input: strict({ ...byName, ...page, label: Type.Optional(Name) }),
    output: pageOf(LabelMove),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
  deprecatePattern: operation({
    method: 'PUT',
    path: '/v1/patterns/{pattern}/deprecation',
    permission: 'pattern:publish',
    summary: 'Say that a pattern should not be used any more; runs of it go on',
    input: strict({
      ...byName,
      successor: Type.Optional(Name),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'Why, for people.' })),
    }),
    output: Pattern,
    status: 200,
    errors: ['not_found'],
  }),
  liftDeprecation: operation({
    method: 'DELETE',
    path: '/v1/patterns/{pattern}/deprecation',
    permission: 'pattern:publish',
    summary: 'Take a deprecation back',
    input: strict(byName),
    output: Pattern,
    status: 200,
    errors: ['not_found'],
  }),
  setPatternTeam: operation({
    method: 'PUT',
    path: '/v1/patterns/{pattern}/team',
    permission: 'team:write',
    summary: 'Let a team own a pattern, or nobody: only its members and holders of team:write then change it',
    input: strict({ ...byName, team: Type.Union([Name, Type.Null()]) }),
    output: Pattern,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
