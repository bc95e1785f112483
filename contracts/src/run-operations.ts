import { Type } from 'typebox';
import { Digest, Id, Name, page, pageOf, strict, Time } from './field.ts';
import { guardName } from './guard.ts';
import { Message } from './message.ts';
import { type Operations, operation } from './operation.ts';
import { ModelName, Parameters } from './parameters.ts';
import { Deprecation, PatternInclude } from './pattern-settings.ts';
import { Run, RunStatus, RunSummary, runEvents, runLimit } from './run.ts';
import { course, IdempotencyKey, request, runErrors, Subject, schedule } from './run-request.ts';
import { RunStep } from './run-step.ts';

const byId = { run: Id };

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
      flag: Type.Optional(
        Type.String({ pattern: guardName, description: 'Only runs in which the check of this name found something.' }),
      ),
      flagged: Type.Optional(Type.Boolean({ description: 'true: only runs in which a check found something.' })),
      rerun_of: Type.Optional(Id),
      batch: Type.Optional(Id),
      metadata: Type.Optional(
        Type.Array(
          Type.String({ maxLength: 565, pattern: '^[A-Za-z0-9_.-]{1,64}=', description: 'Write name=value.' }),
          {
            minItems: 1,
            maxItems: 5,
            description: 'Each is name=value, and all must be there.',
          },
        ),
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
    audited: 'others',
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
    output: Type.Object({ ...pageOf(RunStep).properties, actor: Id }),
    audited: 'others',
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
    audited: 'others',
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
    shed: 'last',
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
