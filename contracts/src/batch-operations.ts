import { type Static, Type } from 'typebox';
import type { ErrorCode } from './errors.ts';
import { Digest, Id, MicroUnits, Name, None, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { ModelName, Parameters } from './parameters.ts';
import { DataClass } from './pattern-settings.ts';
import { RunPriority, runLimit } from './run.ts';
import { IdempotencyKey, Metadata } from './run-request.ts';

/** Bytes of an upload, and of one of its lines; lines of a batch. */
export const batchLimit = 2 * 1024 * 1024 * 1024;
export const batchLineLimit = runLimit;
export const batchLinesLimit = 500_000;
/** Lines of a batch that is sent inline, and bytes of that body. */
export const batchItemsLimit = 1_000;
export const batchItemsBytes = 16 * 1024 * 1024;

/** One line: what a run of it gets. */
export const BatchItem = strict({
  input: Type.Optional(
    Type.String({ maxLength: runLimit, description: 'May be left out where the pattern takes variables only.' }),
  ),
  variables: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,99}$' }), Type.String({ maxLength: 1024 * 1024 }), {
      maxProperties: 100,
    }),
  ),
  metadata: Type.Optional(Metadata),
});
export type BatchItem = Static<typeof BatchItem>;

export const BatchStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('cancelling'),
  Type.Literal('finished'),
  Type.Literal('stopped'),
  Type.Literal('cancelled'),
]);
export type BatchStatus = Static<typeof BatchStatus>;

const nullable = <Schema extends import('typebox').TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const count = (description: string) => Type.Integer({ description });

export const Batch = Type.Object({
  id: Id,
  status: BatchStatus,
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why it is paused or was stopped.' }),
  pattern: Name,
  version: Type.Integer({ description: 'Pinned when the batch was accepted.' }),
  digest: Digest,
  environment: nullable(Name),
  label: nullable(Name),
  model: Type.Union([Type.String(), Type.Null()], { description: 'Null: as each run finds it.' }),
  strategy: nullable(Name),
  context: nullable(Name),
  parameters: Type.Union([Parameters, Type.Null()]),
  priority: RunPriority,
  concurrency: nullable(Type.Integer()),
  accept: Type.Union([Type.Literal('all'), Type.Literal('valid')]),
  on_error: Type.Union([Type.Literal('go_on'), Type.Literal('stop')]),
  deterministic: Type.Boolean({ description: 'Identical lines run once and share the answer.' }),
  metadata: Type.Record(Type.String(), Type.String()),
  actor: Id,
  created_at: Time,
  data_class: DataClass,
  start_at: nullable(Time),
  deadline: nullable(Time),
  started_at: nullable(Time),
  finished_at: nullable(Time),
  lines: Type.Object({
    total: count('All of them, the rejected ones too.'),
    rejected: count('They cannot be run: `errors` tells why.'),
    waiting: count('No run has begun.'),
    running: count('A run is queued or under way.'),
    succeeded: count('With those that share an answer.'),
    failed: count('Their run failed.'),
    cancelled: count('They were not run, or were broken off.'),
    shared: count('Succeeded or failed as an identical earlier line did.'),
  }),
  rate: Type.Union([Type.Number(), Type.Null()], { description: 'Lines that end in a second, of late.' }),
  estimated_end: nullable(Time),
  usage: Type.Object({ input_tokens: Type.Integer(), output_tokens: Type.Integer() }),
  cost_micros: MicroUnits,
  unpriced: count('Lines whose cost is not known; it is missing in `cost_micros`.'),
  currency: Type.Literal('USD'),
  dry_run: Type.Optional(Type.Literal(true, { description: 'Nothing was stored: no batch has this id.' })),
  replayed: Type.Optional(Type.Literal(true, { description: 'The answer of an earlier request with the same key.' })),
});
export type Batch = Static<typeof Batch>;

/** Why a line has no answer. */
export const BatchLineError = Type.Object({
  line: Type.Integer({ description: 'In the upload, from 1; of inline items their number, from 1.' }),
  column: Type.Union([Type.Integer(), Type.Null()], { description: 'Character in the line, from 1.' }),
  status: Type.Union([Type.Literal('rejected'), Type.Literal('failed')]),
  code: Type.String(),
  detail: Type.String(),
  pointer: Type.Union([Type.String(), Type.Null()], { description: 'Field of the line.' }),
  run: nullable(Id),
});
export type BatchLineError = Static<typeof BatchLineError>;

const byId = { batch: Id };
const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));
const controlErrors: readonly ErrorCode[] = ['not_found', 'batch_finished'];

export const batchOperations = {
  createBatch: operation({
    method: 'POST',
    path: '/v1/batches',
    permission: 'run:execute',
    summary: 'Run a version on many inputs: from a list, or from JSONL or CSV that is uploaded as the body',
    input: strict({
      pattern: Name,
      items: Type.Optional(
        Type.Array(BatchItem, {
          minItems: 1,
          maxItems: batchItemsLimit,
          description: 'The lines, where nothing is uploaded.',
        }),
      ),
      version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
      label: Type.Optional(Name),
      environment: Type.Optional(Name),
      strategy: Type.Optional(Name),
      context: Type.Optional(Name),
      model: Type.Optional(ModelName),
      parameters: Type.Optional(Parameters),
      accept: Type.Optional(
        Type.Union([Type.Literal('all'), Type.Literal('valid')], {
          description:
            'all: one bad line refuses the batch, the default. valid: bad lines are rejected, the others run.',
        }),
      ),
      on_error: Type.Optional(
        Type.Union([Type.Literal('go_on'), Type.Literal('stop')], {
          description: 'What a failed line does to the batch. Default: go_on.',
        }),
      ),
      deterministic: Type.Optional(
        Type.Boolean({ description: 'Identical lines run once. Default: where the temperature is 0.' }),
      ),
      priority: Type.Optional(RunPriority),
      concurrency: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1_000, description: 'Most of its runs at the same time.' }),
      ),
      metadata: Type.Optional(Metadata),
      start_at: time('Not before this time. RFC 3339, UTC.'),
      deadline: time('What has not ended by this time is broken off. RFC 3339, UTC.'),
      dry_run: Type.Optional(Type.Boolean({ description: 'Check all lines; nothing is stored.' })),
      errors_after: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'Tell errors of lines after this one only.' }),
      ),
      idempotency_key: Type.Optional(IdempotencyKey),
    }),
    headers: { 'idempotency-key': 'idempotency_key' },
    output: Batch,
    status: 202,
    errors: [
      'not_found',
      'model_not_found',
      'not_released',
      'capability_disabled',
      'no_model',
      'price_unknown',
      'invalid_batch',
      'too_large',
      'idempotency_key_reused',
    ],
    bodyLimit: batchItemsBytes,
    uploads: { types: ['application/jsonl', 'application/x-ndjson', 'text/csv'], limit: batchLimit },
    timeoutMs: 3_600_000,
  }),
  listBatches: operation({
    method: 'GET',
    path: '/v1/batches',
    permission: 'run:read',
    summary: 'Batches of the workspace, newest first',
    input: strict({ ...page, status: Type.Optional(BatchStatus), pattern: Type.Optional(Name) }),
    output: pageOf(Batch),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readBatch: operation({
    method: 'GET',
    path: '/v1/batches/{batch}',
    permission: 'run:read',
    summary: 'How far a batch is, what it cost and when it will end',
    input: strict(byId),
    output: Batch,
    status: 200,
    errors: ['not_found'],
  }),
  pauseBatch: operation({
    method: 'POST',
    path: '/v1/batches/{batch}/pause',
    permission: 'run:cancel',
    summary: 'Begin no more runs of a batch; those under way end',
    input: strict(byId),
    output: Batch,
    status: 200,
    errors: controlErrors,
  }),
  resumeBatch: operation({
    method: 'POST',
    path: '/v1/batches/{batch}/resume',
    permission: 'run:execute',
    summary: 'Go on with a batch that is paused',
    input: strict(byId),
    output: Batch,
    status: 200,
    errors: controlErrors,
  }),
  cancelBatch: operation({
    method: 'POST',
    path: '/v1/batches/{batch}/cancel',
    permission: 'run:cancel',
    summary: 'Stop a batch and the runs of it that are under way',
    shed: 'last',
    input: strict(byId),
    output: Batch,
    status: 202,
    errors: controlErrors,
  }),
  readBatchResults: operation({
    method: 'GET',
    path: '/v1/batches/{batch}/results',
    permission: 'run:read',
    summary: 'The ended lines in input order, up to the first that has not ended',
    input: strict({
      ...byId,
      format: Type.Optional(Type.Union([Type.Literal('jsonl'), Type.Literal('csv')])),
      after: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'The last line that came.' }),
      ),
      wait: Type.Optional(Type.Boolean({ description: 'Go on until the batch has ended.' })),
    }),
    output: None,
    status: 200,
    errors: ['not_found', 'slow_consumer'],
    answerTypes: { jsonl: 'application/jsonl', csv: 'text/csv; charset=utf-8' },
    audited: 'always',
    timeoutMs: 3_600_000,
  }),
  listBatchErrors: operation({
    method: 'GET',
    path: '/v1/batches/{batch}/errors',
    permission: 'run:read',
    summary: 'Lines that were rejected or failed, in input order',
    input: strict({ ...byId, ...page }),
    output: pageOf(BatchLineError),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
} satisfies Operations;
