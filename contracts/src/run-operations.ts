import { Type } from 'typebox';
import { Attachments, LanguageTag } from './attachment.ts';
import type { ErrorCode } from './errors.ts';
import { Digest, Id, Name, page, pageOf, strict, Time } from './field.ts';
import { Message, Tool, ToolChoice, ToolTurn } from './message.ts';
import { type Operations, operation } from './operation.ts';
import { ModelName, Parameters } from './parameters.ts';
import { Deprecation, PatternInclude } from './pattern-settings.ts';
import { Run, RunPriority, RunStatus, RunSummary, runEvents, runLimit } from './run.ts';
import { RunStep } from './run-step.ts';

/** What picks the version and builds the messages; a preview and a run take the same. */
const request = {
  pattern: Name,
  input: Type.String({ maxLength: runLimit }),
  variables: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,99}$' }), Type.String({ maxLength: 1024 * 1024 }), {
      maxProperties: 100,
    }),
  ),
  version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
  label: Type.Optional(Name),
  environment: Type.Optional(Name),
  strategy: Type.Optional(Name),
  context: Type.Optional(Name),
  session: Type.Optional(Name),
  language: Type.Optional(LanguageTag),
  attachments: Type.Optional(Attachments),
  model: Type.Optional(ModelName),
  parameters: Type.Optional(Parameters),
  tools: Type.Optional(
    Type.Array(Tool, { maxItems: 64, description: 'Instead of those of the pattern. Nobody here calls them.' }),
  ),
  tool_choice: Type.Optional(ToolChoice),
  tool_turns: Type.Optional(
    Type.Array(ToolTurn, {
      maxItems: 50,
      description: 'What models asked for when they got this request, with results.',
    }),
  ),
};

const byId = { run: Id };

export const Metadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }),
  Type.String({ maxLength: 500 }),
  {
    maxProperties: 20,
  },
);

const Subject = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it.',
});

/** ASCII without spaces at its ends: what looks the same is the same, in a header as in a body. */
export const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[!-~]([ -~]*[!-~])?$',
  description: 'Who sends the same request with the same key within 24 hours gets the answer of the first one.',
});

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));
/** When a run goes that nobody waits for. */
const schedule = {
  start_at: time('Asynchronous runs: not before this time. RFC 3339, UTC.'),
  deadline: time('Asynchronous runs: ended by this time, or failed. RFC 3339, UTC.'),
  priority: Type.Optional(RunPriority),
};

/** How a run is to go, beside what is run. */
const course = {
  mode: Type.Optional(
    Type.Union([Type.Literal('sync'), Type.Literal('async')], {
      description:
        'async: answers 202 once the run is accepted, and it is executed even if every process dies meanwhile.',
    }),
  ),
  ...schedule,
  stream: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Metadata),
  subject: Type.Optional(Subject),
  cache: Type.Optional(
    Type.Union([Type.Literal('use'), Type.Literal('refresh'), Type.Literal('off')], {
      description: 'Of patterns that keep answers: take one, ask anew and keep that, or neither. Default: use.',
    }),
  ),
  on_disconnect: Type.Optional(
    Type.Union([Type.Literal('cancel'), Type.Literal('continue')], {
      description: 'When the last reader has left. Default: cancel; continue where there is a key.',
    }),
  ),
  timeout_ms: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })),
  idempotency_key: Type.Optional(IdempotencyKey),
};

const runErrors: readonly ErrorCode[] = [
  'not_found',
  'invalid_pattern',
  'model_not_found',
  'missing_variable',
  'invalid_variable',
  'capability_disabled',
  'not_released',
  'input_too_long',
  'session_busy',
  'session_too_long',
  'attachment_not_supported',
  'idempotency_in_progress',
  'idempotency_key_reused',
  'run_cancelled',
  'provider_error',
  'provider_protocol_error',
  'provider_auth',
  'provider_busy',
  'truncated',
  'invalid_output',
  'content_refused',
  'timeout',
  'no_model',
  'unrecorded',
  'interrupted',
  'gave_up',
  'not_approved',
];

/** A run that nobody waits for is accepted, not done. */
const accepted = { field: 'mode', value: 'async', status: 202 } as const;

export const runOperations = {
  createRun: operation({
    method: 'POST',
    path: '/v1/runs',
    permission: 'run:execute',
    summary: 'Run a version on an input and wait for the answer, stream it, or have it queued',
    input: strict({ ...request, ...course }),
    headers: { 'idempotency-key': 'idempotency_key' },
    output: Run,
    status: 200,
    statusWhen: accepted,
    errors: runErrors,
    bodyLimit: runLimit,
    events: Object.keys(runEvents),
  }),
  renderRun: operation({
    method: 'POST',
    path: '/v1/render',
    permission: 'pattern:read',
    summary: 'The exact messages that a run would send; nothing is called',
    input: strict(request),
    output: Type.Object({
      pattern: Name,
      version: Type.Integer(),
      digest: Digest,
      model: Type.Union([Type.String(), Type.Null()]),
      parameters: Parameters,
      messages: Type.Array(Message),
      includes: Type.Array(PatternInclude, { description: 'Texts of other patterns that are in the messages.' }),
      steps: Type.Optional(
        Type.Array(
          Type.Object({
            path: Type.String(),
            pattern: Type.Union([Name, Type.Null()], { description: 'Null: a person decides.' }),
            version: Type.Union([Type.Integer(), Type.Null()]),
            needs: Type.Array(Type.String()),
          }),
          { description: 'Of a chain: its steps with the versions that would be pinned. It sends no messages itself.' },
        ),
      ),
      deprecated: Type.Union([Deprecation, Type.Null()]),
    }),
    status: 200,
    errors: [
      'not_found',
      'model_not_found',
      'missing_variable',
      'invalid_variable',
      'capability_disabled',
      'not_released',
      'input_too_long',
      'session_too_long',
      'attachment_not_supported',
      'invalid_pattern',
    ],
    bodyLimit: runLimit,
  }),
  listRuns: operation({
    method: 'GET',
    path: '/v1/runs',
    permission: 'run:read',
    summary: 'Runs of the workspace, newest first',
    input: strict({
      ...page,
      pattern: Type.Optional(Name),
      status: Type.Optional(RunStatus),
      dead: Type.Optional(
        Type.Boolean({ description: 'true: only runs that were given up; retry them once the cause is gone.' }),
      ),
      model: Type.Optional(ModelName),
      subject: Type.Optional(Subject),
      rerun_of: Type.Optional(Id),
      batch: Type.Optional(Id),
      metadata: Type.Optional(
        Type.Array(Type.String({ maxLength: 565, pattern: '^[A-Za-z0-9_.-]{1,64}=' }), {
          minItems: 1,
          maxItems: 5,
          description: 'Each is name=value, and all must be there.',
        }),
      ),
      since: Type.Optional(Time),
      until: Type.Optional(Time),
    }),
    output: pageOf(RunSummary),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readRun: operation({
    method: 'GET',
    path: '/v1/runs/{run}',
    permission: 'run:read',
    summary: 'One run with its texts and attempts',
    input: strict(byId),
    output: Run,
    status: 200,
    errors: ['not_found'],
  }),
  listRunSteps: operation({
    method: 'GET',
    path: '/v1/runs/{run}/steps',
    permission: 'run:read',
    summary: "Steps of a chain's run with their texts, in the order in which they began",
    input: strict({
      ...byId,
      ...page,
      path: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 400,
          description: 'Only this step, with its items, parts and inner steps.',
        }),
      ),
    }),
    output: pageOf(RunStep),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
  rerunRun: operation({
    method: 'POST',
    path: '/v1/runs/{run}/rerun',
    permission: 'run:execute',
    summary: 'Run what a run ran, with the changes that the request names',
    input: strict({
      ...request,
      ...course,
      ...byId,
      pattern: Type.Optional(request.pattern),
      input: Type.Optional(request.input),
    }),
    headers: { 'idempotency-key': 'idempotency_key' },
    output: Run,
    status: 200,
    statusWhen: accepted,
    errors: [...runErrors, 'payload_gone'],
    bodyLimit: runLimit,
    events: Object.keys(runEvents),
  }),
  streamRun: operation({
    method: 'GET',
    path: '/v1/runs/{run}/events',
    permission: 'run:read',
    summary: 'The events of a run from a place in its output on: what has come, what comes, and the end',
    input: strict({
      ...byId,
      after: Type.Optional(
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Id of the last event that came.' }),
      ),
    }),
    headers: { 'last-event-id': 'after' },
    output: Run,
    status: 200,
    errors: ['not_found', 'unavailable', 'overloaded', 'slow_consumer'],
    events: Object.keys(runEvents),
    alwaysStreams: true,
  }),
  cancelRun: operation({
    method: 'POST',
    path: '/v1/runs/{run}/cancel',
    permission: 'run:cancel',
    summary: 'Stop a run and its call to the model, whichever process executes it',
    input: strict(byId),
    output: RunSummary,
    status: 202,
    errors: ['not_found', 'run_finished'],
  }),
  retryRun: operation({
    method: 'POST',
    path: '/v1/runs/{run}/retry',
    permission: 'run:execute',
    summary: 'Run once more, asynchronously and as a new run, what a failed or cancelled run was to run',
    input: strict({ ...byId, ...schedule, idempotency_key: Type.Optional(IdempotencyKey) }),
    headers: { 'idempotency-key': 'idempotency_key' },
    output: Run,
    status: 202,
    errors: [...runErrors, 'payload_gone', 'run_not_failed'],
  }),
  decideRun: operation({
    method: 'POST',
    path: '/v1/runs/{run}/decisions',
    permission: 'run:decide',
    summary: 'Decide what a run waits for: an approval, or a call of which nobody knows whether it was answered',
    input: strict({
      ...byId,
      decision: Type.Union(
        [Type.Literal('approve'), Type.Literal('reject'), Type.Literal('retry'), Type.Literal('fail')],
        { description: 'approve or reject what waits for approval; retry or fail what waits for review.' },
      ),
      step: Type.Optional(
        Type.String({ minLength: 1, maxLength: 300, description: 'Of a chain: the step that waits.' }),
      ),
      comment: Type.Optional(Type.String({ maxLength: 2_000 })),
    }),
    output: RunSummary,
    status: 200,
    errors: ['not_found', 'run_finished', 'not_waiting'],
  }),
} satisfies Operations;
