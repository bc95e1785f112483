import { type Static, Type } from 'typebox';
import { Name, None, page, pageOf, strict } from './field.ts';
import { PatternWarning } from './guard.ts';
import { type Operations, operation } from './operation.ts';
import { fileLimit } from './pattern.ts';

/** Bytes of the JSON of an import. */
export const importLimit = 32 * 1024 * 1024;
/** Bytes of an archive that is imported. */
export const archiveLimit = 64 * 1024 * 1024;

export const ImportOutcome = Type.Union([
  Type.Literal('new'),
  Type.Literal('same'),
  Type.Literal('changed'),
  Type.Literal('conflict'),
  Type.Literal('kept'),
  Type.Literal('replaced'),
  Type.Literal('refused'),
]);
export type ImportOutcome = Static<typeof ImportOutcome>;

export const ImportReport = Type.Object({
  committed: Type.Boolean({ description: 'False for a dry run.' }),
  source: Type.Object({
    origin: Type.Optional(Type.String()),
    commit: Type.Optional(Type.String({ description: 'The git commit that was read: the same every time.' })),
  }),
  patterns: Type.Array(
    Type.Object({
      name: Name,
      outcome: ImportOutcome,
      version: Type.Union([Type.Integer(), Type.Null()]),
      variables: Type.Array(Type.String()),
      literal_tokens: Type.Array(Type.String()),
      disabled_capabilities: Type.Array(Type.String()),
      warnings: Type.Optional(Type.Array(PatternWarning, { description: 'What an author should look at.' })),
      detail: Type.Optional(
        Type.String({ description: 'Why it was refused, though the rest was imported: a secret in it.' }),
      ),
      incoming: Type.Optional(
        Type.Array(Type.Object({ path: Type.String(), content: Type.String() }), {
          description:
            'Of a conflict in a dry run: what would replace the newest version. Left out past 256 KiB in all.',
        }),
      ),
    }),
  ),
  strategies: Type.Array(Type.Object({ name: Name, outcome: ImportOutcome, detail: Type.Optional(Type.String()) })),
  ignored: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }), {
    description: 'What was left out; at most 1,000 are listed.',
  }),
  ignored_total: Type.Integer(),
});
export type ImportReport = Static<typeof ImportReport>;

const onConflict = Type.Optional(
  Type.Union([Type.Literal('fail'), Type.Literal('keep'), Type.Literal('replace')], {
    description: 'What to do with a pattern that was edited here since its last import.',
  }),
);
const decision = { on_conflict: onConflict, dry_run: Type.Optional(Type.Boolean()) };
const within = Type.Optional(
  Type.String({ minLength: 1, maxLength: 500, description: 'The folder in it where the patterns are.' }),
);

export const transferOperations = {
  importTree: operation({
    method: 'POST',
    path: '/v1/imports',
    permission: 'pattern:write',
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
      ...decision,
    }),
    output: ImportReport,
    status: 200,
    errors: ['invalid_tree', 'import_conflict'],
    bodyLimit: importLimit,
    timeoutMs: 120_000,
  }),
  importArchive: operation({
    method: 'POST',
    path: '/v1/imports/archive',
    permission: 'pattern:write',
    summary: 'Import a zip, tar or tar.gz that is sent as the body, all or nothing',
    input: strict({
      origin: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'Name of the archive.' })),
      path: within,
      ...decision,
    }),
    output: ImportReport,
    status: 200,
    errors: ['invalid_archive', 'invalid_tree', 'import_conflict', 'timeout'],
    bodyLimit: archiveLimit,
    bodyTypes: ['application/zip', 'application/x-tar', 'application/gzip'],
    timeoutMs: 120_000,
  }),
  importGit: operation({
    method: 'POST',
    path: '/v1/imports/git',
    permission: 'pattern:write',
    summary: 'Import one commit of a public git repository over https, all or nothing',
    input: strict({
      url: Type.String({ minLength: 1, maxLength: 500, description: 'Begins with https://.' }),
      ref: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: "A branch, a tag or a whole commit hash; without, the server's default branch.",
        }),
      ),
      path: within,
      ...decision,
    }),
    output: ImportReport,
    status: 200,
    errors: ['egress_denied', 'invalid_repository', 'invalid_tree', 'invalid_archive', 'import_conflict', 'timeout'],
    timeoutMs: 180_000,
  }),
  exportArchive: operation({
    method: 'GET',
    path: '/v1/exports/archive',
    permission: 'pattern:read',
    summary: 'The same files as one archive',
    input: strict({
      format: Type.Optional(Type.Union([Type.Literal('zip'), Type.Literal('tar')])),
      pattern: Type.Optional(
        Type.Array(Name, { minItems: 1, maxItems: 50, description: 'Only these, without strategies.' }),
      ),
    }),
    output: None,
    status: 200,
    errors: ['not_found', 'too_large'],
    answerTypes: { zip: 'application/zip', tar: 'application/x-tar' },
    timeoutMs: 600_000,
  }),
  exportTree: operation({
    method: 'GET',
    path: '/v1/exports',
    permission: 'pattern:read',
    summary: "The newest versions and the strategies as files of Fabric's tree",
    input: strict({
      pattern: Type.Optional(
        Type.Array(Name, { minItems: 1, maxItems: 50, description: 'Only these, without strategies.' }),
      ),
      ...page,
    }),
    output: pageOf(
      Type.Object({
        path: Type.String(),
        content: Type.String({ description: 'As it came, byte for byte, where it came from outside.' }),
      }),
    ),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
} satisfies Operations;
