import { type Static, Type } from 'typebox';
import { Digest, Id, Name, page, pageOf, strict, Time } from './field.ts';
import { PatternWarning, warningCodes } from './guard.ts';
import { type Operations, operation } from './operation.ts';
import { Parameters } from './parameters.ts';
import { DataClass, Deprecation, PatternSettings } from './pattern-settings.ts';
import { ifMatch, ifMatchHeader } from './precondition.ts';

/** Bytes of one file of a pattern. */
export const fileLimit = 1024 * 1024;

export const VariableType = Type.Union([
  Type.Literal('string'),
  Type.Literal('integer'),
  Type.Literal('number'),
  Type.Literal('boolean'),
  Type.Literal('enum'),
]);

export const Variable = Type.Object({
  name: Type.String(),
  type: VariableType,
  description: Type.Optional(Type.String()),
  required: Type.Boolean(),
  default: Type.Optional(Type.String()),
  values: Type.Optional(Type.Array(Type.String(), { description: 'What an enum allows.' })),
  max_length: Type.Optional(Type.Integer({ description: 'Characters that a string may have.' })),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  untrusted: Type.Optional(Type.Boolean({ description: 'Whether strangers write its values; absent: nobody said.' })),
  data_class: Type.Optional(DataClass),
  declared: Type.Boolean({ description: 'False when it was found in the text only.' }),
});
export type Variable = Static<typeof Variable>;

export const PatternFile = strict({
  path: Type.String({ minLength: 1, maxLength: 255, description: 'Relative, with / between segments.' }),
  content: Type.String({ maxLength: fileLimit, description: 'UTF-8 text, kept byte for byte.' }),
});
export type PatternFile = Static<typeof PatternFile>;

export const Source = Type.Object({
  kind: Type.Union([Type.Literal('api'), Type.Literal('starter'), Type.Literal('import')]),
  origin: Type.Optional(Type.String({ description: 'Where an import came from: a folder or an address.' })),
  commit: Type.Optional(Type.String({ description: 'The git commit that it was taken from.' })),
  blob: Type.Optional(Type.String({ description: "git's hash of system.md in that commit." })),
});

const warnings = Type.Optional(
  Type.Array(PatternWarning, { description: 'What an author should look at; told where a version is made or read.' }),
);

export const VersionSummary = Type.Object({
  pattern: Name,
  version: Type.Integer(),
  digest: Digest,
  labels: Type.Array(Name),
  message: Type.Union([Type.String(), Type.Null()]),
  source: Source,
  created_at: Time,
  created_by: Type.Union([Id, Type.Null()]),
  author: Type.Union([Type.String(), Type.Null()], { description: 'Name of the key or member that published it.' }),
});

export const PatternVersion = Type.Object({
  ...VersionSummary.properties,
  title: Type.String(),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  model: Type.Union([Type.String(), Type.Null()]),
  parameters: Parameters,
  ...PatternSettings.properties,
  variables: Type.Array(Variable),
  literal_tokens: Type.Array(Type.String(), { description: 'Template-like text that stays as it is.' }),
  disabled_capabilities: Type.Array(Type.String(), { description: 'Tokens that would need a capability that is off.' }),
  files: Type.Array(PatternFile),
  warnings,
});
export type PatternVersion = Static<typeof PatternVersion>;

export const Pattern = Type.Object({
  id: Id,
  name: Name,
  title: Type.String(),
  description: Type.String(),
  tags: Type.Array(Type.String()),
  version: Type.Integer({ description: 'The newest published version.' }),
  digest: Digest,
  labels: Type.Record(Type.String(), Type.Integer(), { description: 'Label to version.' }),
  variables: Type.Array(Variable),
  disabled_capabilities: Type.Array(Type.String()),
  deprecated: Type.Union([Deprecation, Type.Null()]),
  team: Type.Union([Name, Type.Null()], {
    description: 'Owns it: only its members and holders of team:write change it.',
  }),
  source: Source,
  created_at: Time,
  updated_at: Time,
  deleted_at: Type.Union([Time, Type.Null()]),
  warnings,
});
export type Pattern = Static<typeof Pattern>;

const Content = {
  system: Type.Optional(
    Type.String({ minLength: 1, maxLength: fileLimit, description: 'The text of system.md; instead of `files`.' }),
  ),
  files: Type.Optional(Type.Array(PatternFile, { minItems: 1, maxItems: 100 })),
  message: Type.Optional(Type.String({ maxLength: 500, description: 'Why this version exists.' })),
  dry_run: Type.Optional(Type.Boolean({ description: 'Check all of it, answer what would be, and change nothing.' })),
};

const byName = { pattern: Name };
const Label = Name;
const VersionNumber = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });

export const patternOperations = {
  listPatterns: operation({
    method: 'GET',
    path: '/v1/patterns',
    permission: 'pattern:read',
    summary: 'Patterns of the workspace by name',
    input: strict({
      ...page,
      search: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, description: 'Literal text in name, title or description.' }),
      ),
      tag: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
      deleted: Type.Optional(Type.Boolean({ description: 'List the deleted ones instead.' })),
    }),
    output: pageOf(Pattern),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  createPattern: operation({
    method: 'POST',
    path: '/v1/patterns',
    permission: 'pattern:write',
    summary: 'Create a pattern and publish its first version',
    input: strict({ name: Name, ...Content }),
    output: Pattern,
    status: 201,
    errors: ['already_exists', 'invalid_pattern'],
    bodyLimit: 4 * 1024 * 1024,
  }),
  readPattern: operation({
    method: 'GET',
    path: '/v1/patterns/{pattern}',
    permission: 'pattern:read',
    summary: 'One pattern with its labels and newest version',
    input: strict(byName),
    output: Pattern,
    status: 200,
    errors: ['not_found'],
  }),
  deletePattern: operation({
    method: 'DELETE',
    path: '/v1/patterns/{pattern}',
    permission: 'pattern:delete',
    summary: 'Delete a pattern; it can be restored',
    input: strict({ ...byName, ...ifMatch }),
    headers: ifMatchHeader,
    output: Pattern,
    status: 200,
    errors: ['not_found', 'precondition_failed'],
  }),
  restorePattern: operation({
    method: 'POST',
    path: '/v1/patterns/{pattern}/restore',
    permission: 'pattern:delete',
    summary: 'Bring a deleted pattern back with all its versions',
    input: strict(byName),
    output: Pattern,
    status: 200,
    errors: ['not_found', 'already_exists'],
  }),
  publishVersion: operation({
    method: 'POST',
    path: '/v1/patterns/{pattern}/versions',
    permission: 'pattern:publish',
    summary: 'Publish an immutable version; the same content answers the version that has it',
    input: strict({
      ...byName,
      ...Content,
      base_version: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 2_147_483_647,
          description: 'The version that was edited: when it is not the newest any more, nothing is published.',
        }),
      ),
      ...ifMatch,
    }),
    headers: ifMatchHeader,
    output: PatternVersion,
    status: 201,
    errors: ['not_found', 'invalid_pattern', 'version_conflict', 'precondition_failed'],
    bodyLimit: 4 * 1024 * 1024,
  }),
  listVersions: operation({
    method: 'GET',
    path: '/v1/patterns/{pattern}/versions',
    permission: 'pattern:read',
    summary: 'Versions of a pattern, newest first',
    input: strict({ ...byName, ...page }),
    output: pageOf(VersionSummary),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
  readVersion: operation({
    method: 'GET',
    path: '/v1/patterns/{pattern}/versions/{version}',
    permission: 'pattern:read',
    summary: 'One version with its files',
    input: strict({ ...byName, version: VersionNumber }),
    output: PatternVersion,
    status: 200,
    errors: ['not_found'],
  }),
  setLabel: operation({
    method: 'PUT',
    path: '/v1/patterns/{pattern}/labels/{label}',
    permission: 'pattern:publish',
    summary: 'Point a label at a version',
    input: strict({
      ...byName,
      label: Label,
      version: VersionNumber,
      accept: Type.Optional(
        Type.Array(Type.Union(warningCodes.map((code) => Type.Literal(code))), {
          maxItems: 10,
          description: 'Warnings of the version that do not keep it from the label `production`.',
        }),
      ),
      ...ifMatch,
    }),
    headers: ifMatchHeader,
    output: Pattern,
    status: 200,
    errors: ['not_found', 'precondition_failed', 'policy_refused'],
  }),
  removeLabel: operation({
    method: 'DELETE',
    path: '/v1/patterns/{pattern}/labels/{label}',
    permission: 'pattern:publish',
    summary: 'Remove a label',
    input: strict({ ...byName, label: Label, ...ifMatch }),
    headers: ifMatchHeader,
    output: Pattern,
    status: 200,
    errors: ['not_found', 'precondition_failed'],
  }),
} satisfies Operations;
