import { type Static, Type } from 'typebox';
import { Id, None, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

const nullable = <Schema extends import('typebox').TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

export const AuditOutcome = Type.Union([Type.Literal('done'), Type.Literal('refused')]);

/** Everything but `previous` and `hash` is what the hash is over. */
export const AuditEntry = Type.Object({
  workspace: Id,
  seq: Type.Integer({ minimum: 1, description: 'Place in the chain of the workspace, without gaps.' }),
  id: Id,
  at: Type.String({ description: 'When the change was begun, RFC 3339 with microseconds, UTC.' }),
  service: Type.String({ description: 'Which part of the platform wrote it.' }),
  actor: Type.Object({
    kind: Type.String(),
    id: Type.String(),
    account: Type.Union([Id, Type.Null()], { description: 'The member behind it, where there is one.' }),
  }),
  auth: Type.Union([Type.String(), Type.Null()], {
    description: 'api_key, login_session, token, system or none; null for rows of older versions.',
  }),
  action: Type.String({ description: 'Name of the operation.' }),
  subject: Type.String({ description: 'What it was done to, as kind/name.' }),
  outcome: AuditOutcome,
  before: Type.Union([Type.String(), Type.Null()], { description: 'Digest of what it was.' }),
  after: Type.Union([Type.String(), Type.Null()], { description: 'Digest of what it became.' }),
  address: Type.Union([Type.String(), Type.Null()], { description: 'Where the caller was.' }),
  request_id: Type.String(),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'What the caller gave in Damask-Reason.' }),
  details: Type.Record(Type.String(), Type.Unknown()),
  previous: Type.String({
    description: 'Hash of the entry before; 64 zeros for the first.',
    pattern: '^[0-9a-f]{64}$',
  }),
  hash: Type.String({ description: 'SHA-256 of `previous`, as bytes, and of the entry as RFC 8785 writes it.' }),
});
export type AuditEntry = Static<typeof AuditEntry>;

/** What is signed of a chain. `body` is the text that the signature is over. */
export const AuditCheckpoint = Type.Object({
  seq: Type.Integer(),
  hash: Hash,
  at: Time,
  body: Type.String({ description: 'RFC 8785 JSON: kind, workspace, seq, hash, at, previous.' }),
  key: Type.String({ description: 'Id of the signing key.' }),
  signature: Type.String({ description: 'Ed25519 over the bytes of `body`, base64.' }),
});
export type AuditCheckpoint = Static<typeof AuditCheckpoint>;

export const AuditKey = Type.Object({
  id: Type.String(),
  public_key: Type.String({ description: 'Ed25519, SPKI DER in base64.' }),
  from: Time,
  until: nullable(Time),
});

export const HandChange = Type.Object({
  subject: Type.String(),
  what: Type.Union([Type.Literal('changed'), Type.Literal('added'), Type.Literal('removed')]),
  audited: Type.Union([Type.String(), Type.Null()], { description: 'The digest that the log said last.' }),
  found: Type.Union([Type.String(), Type.Null()], { description: 'The digest of what is there.' }),
});
export type HandChange = Static<typeof HandChange>;

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));

const noted = {
  workspace: Id,
  actor_kind: Type.String({ maxLength: 40 }),
  actor_id: Type.String({ maxLength: 100 }),
  actor_account: Type.Optional(Id),
  actor_session: Type.Optional(Type.Boolean()),
  action: Type.String({ maxLength: 100 }),
  subject: Type.String({ maxLength: 300 }),
  outcome: AuditOutcome,
  code: Type.Optional(Type.String({ maxLength: 100 })),
  address: Type.Optional(Type.String({ maxLength: 100 })),
  reason: Type.Optional(Type.String({ maxLength: 500 })),
  request_id: Type.String({ maxLength: 100 }),
  count: Type.Integer({ minimum: 1 }),
  first_at: Time,
  last_at: Time,
};
export type NotedCall = Static<typeof NotedCall>;
export const NotedCall = strict(noted);

export const auditOperations = {
  listAudit: operation({
    method: 'GET',
    path: '/v1/audit',
    permission: 'audit:read',
    summary: 'Who did what, newest first, as the sealed log has it',
    input: strict({
      ...page,
      actor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 100, description: 'Id of a key, member or account.' }),
      ),
      action: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
      subject: Type.Optional(
        Type.String({ minLength: 1, maxLength: 300, description: 'How the subject begins: pattern/, key/ and an id.' }),
      ),
      outcome: Type.Optional(AuditOutcome),
      since: time('Not before this time. RFC 3339, UTC.'),
      until: time('Before this time. RFC 3339, UTC.'),
    }),
    output: Type.Object({
      ...pageOf(AuditEntry).properties,
      sealed: nullable(Type.Object({ seq: Type.Integer(), at: Time })),
      checkpoint: nullable(Type.Object({ seq: Type.Integer(), at: Time })),
      waiting: Type.Integer({ description: 'Changes that are not sealed yet; 1,000 at most are counted.' }),
    }),
    status: 200,
    errors: ['invalid_cursor'],
    audited: 'always',
  }),
  exportAudit: operation({
    method: 'GET',
    path: '/v1/audit/export',
    permission: 'audit:read',
    summary: 'The chain of a period, oldest first: JSONL that can be verified, or CSV to look at',
    input: strict({
      format: Type.Optional(Type.Union([Type.Literal('jsonl'), Type.Literal('csv')])),
      since: time('From the first entry of this time on. RFC 3339, UTC.'),
      until: time('Up to the last entry before this time. RFC 3339, UTC.'),
    }),
    output: None,
    status: 200,
    errors: ['slow_consumer'],
    answerTypes: { jsonl: 'application/jsonl', csv: 'text/csv; charset=utf-8' },
    timeoutMs: 3_600_000,
    audited: 'always',
  }),
  listAuditCheckpoints: operation({
    method: 'GET',
    path: '/v1/audit/checkpoints',
    permission: 'audit:read',
    summary: 'Signed checkpoints of the chain, newest first, and the keys that sign',
    input: strict(page),
    output: Type.Object({ ...pageOf(AuditCheckpoint).properties, keys: Type.Array(AuditKey) }),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readAuditState: operation({
    method: 'GET',
    path: '/v1/audit/state',
    permission: 'audit:read',
    summary: 'Keys, members, roles, service accounts and identity providers that are not what the log said last',
    input: None,
    output: Type.Object({ items: Type.Array(HandChange) }),
    status: 200,
    errors: [],
  }),
  noteAudit: operation({
    method: 'POST',
    path: '/internal/audit-notes',
    permission: 'internal',
    summary: 'Keep what the edge refused, and who read what is sensitive',
    input: strict({ notes: Type.Array(NotedCall, { maxItems: 200 }), lost: Type.Integer({ minimum: 0 }) }),
    output: Type.Object({}),
    status: 200,
    errors: [],
  }),
} satisfies Operations;

/** What another service keeps is held against its own rows. */
export const patternAuditOperations = {
  readPatternAuditState: operation({
    method: 'GET',
    path: '/v1/audit/state/patterns',
    permission: 'audit:read',
    summary: 'Providers, budgets, holds, retention and redaction that are not what the log said last',
    input: None,
    output: Type.Object({ items: Type.Array(HandChange) }),
    status: 200,
    errors: [],
  }),
} satisfies Operations;
