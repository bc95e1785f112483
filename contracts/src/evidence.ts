import { type Static, Type } from 'typebox';
import { Id, None, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

const nullable = <Schema extends import('typebox').TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** What stands before a seal's body in what is signed: nothing else that the key signs begins so. */
export const evidenceSealDomain = 'damask evidence seal 1\n';

export const EvidenceFile = strict({
  path: Type.String({
    pattern: '^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){0,3}$',
    maxLength: 120,
    description: 'Its place in the archive.',
  }),
  bytes: Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type EvidenceFile = Static<typeof EvidenceFile>;

export const EvidenceSeal = Type.Object({
  id: Id,
  at: Time,
  body: Type.String({
    description:
      'RFC 8785 JSON: kind, id, workspace (id, name), actor (kind, id, account), at, since, until, audit (seq and hash of the end of the audit log), files.',
  }),
  key: Type.String({ description: 'Id of the signing key, one of those of the audit log.' }),
  signature: Type.String({
    description: 'Ed25519 over the line `damask evidence seal 1`, its line end and the bytes of `body`, base64.',
  }),
});
export type EvidenceSeal = Static<typeof EvidenceSeal>;

export const evidenceOperations = {
  readProgram: operation({
    method: 'GET',
    path: '/v1/evidence/program',
    permission: 'audit:read',
    summary: 'What runs here: the version, its bill of materials, and which controls it has',
    input: None,
    output: Type.Object({
      version: Type.String(),
      sbom: nullable(Type.String({ description: 'CycloneDX as JSON; null where the program came without one.' })),
      controls: nullable(
        Type.String({ description: 'Controls of standards and what serves them, as CSV; null where it has no list.' }),
      ),
    }),
    status: 200,
    errors: [],
  }),
  sealEvidence: operation({
    method: 'POST',
    path: '/v1/evidence/seals',
    permission: 'evidence:write',
    summary: 'Sign the digests of files that were collected as evidence, with who collected them and when',
    input: strict({
      since: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'The period. RFC 3339.' })),
      until: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
      digests: Type.Array(EvidenceFile, { minItems: 1, maxItems: 200 }),
    }),
    output: EvidenceSeal,
    status: 201,
    errors: ['unavailable'],
  }),
} satisfies Operations;
