import { type Static, Type } from 'typebox';
import { Name, strict } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { fileLimit } from './pattern.ts';

/** Bytes of an import's body. */
export const importLimit = 32 * 1024 * 1024;

export const ImportOutcome = Type.Union([
  Type.Literal('new'),
  Type.Literal('same'),
  Type.Literal('changed'),
  Type.Literal('conflict'),
  Type.Literal('kept'),
  Type.Literal('replaced'),
]);
export type ImportOutcome = Static<typeof ImportOutcome>;

export const ImportReport = Type.Object({
  committed: Type.Boolean({ description: 'False for a dry run.' }),
  patterns: Type.Array(
    Type.Object({
      name: Name,
      outcome: ImportOutcome,
      version: Type.Union([Type.Integer(), Type.Null()]),
      variables: Type.Array(Type.String()),
      literal_tokens: Type.Array(Type.String()),
      disabled_capabilities: Type.Array(Type.String()),
    }),
  ),
  strategies: Type.Array(Type.Object({ name: Name, outcome: ImportOutcome })),
  ignored: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() })),
});
export type ImportReport = Static<typeof ImportReport>;

export const transferOperations = {
  importTree: operation({
    method: 'POST',
    path: '/v1/imports',
    permission: 'pattern:publish',
    summary: "Import a folder in Fabric's tree, all or nothing",
    input: strict({
      files: Type.Array(
        strict({
          path: Type.String({ minLength: 1, maxLength: 1024 }),
          content: Type.String({ maxLength: fileLimit }),
        }),
        { minItems: 1, maxItems: 20_000 },
      ),
      origin: Type.Optional(Type.String({ maxLength: 500 })),
      on_conflict: Type.Optional(
        Type.Union([Type.Literal('fail'), Type.Literal('keep'), Type.Literal('replace')], {
          description: 'What to do with a pattern that was edited here since its last import.',
        }),
      ),
      dry_run: Type.Optional(Type.Boolean()),
    }),
    output: ImportReport,
    status: 200,
    errors: ['invalid_tree', 'import_conflict'],
    bodyLimit: importLimit,
  }),
} satisfies Operations;
