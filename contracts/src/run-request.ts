import { Type } from 'typebox';
import { Attachments, LanguageTag } from './attachment.ts';
import type { ErrorCode } from './errors.ts';
import { Name } from './field.ts';
import { Tool, ToolChoice, ToolTurn } from './message.ts';
import { ModelName, Parameters } from './parameters.ts';
import { RunPriority, runLimit } from './run.ts';

/** What picks the version and builds the messages; a preview and a run take the same. */
export const request = {
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

export const Metadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }),
  Type.String({ maxLength: 500 }),
  {
    maxProperties: 20,
  },
);

export const Subject = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it.',
});

/** ASCII without spaces at its ends: what looks the same is the same, in a header as in a body. */
export const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[!-~]([ -~]*[!-~])?$',
  description:
    '1 to 255 printable ASCII characters. Who sends the same request with the same key within 24 hours gets the answer of the first one.',
});

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));
/** When a run goes that nobody waits for. */
export const schedule = {
  start_at: time('Asynchronous runs: not before this time. RFC 3339, UTC.'),
  deadline: time('Asynchronous runs: ended by this time, or failed. RFC 3339, UTC.'),
  priority: Type.Optional(RunPriority),
};

/** How a run is to go, beside what is run. */
export const course = {
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

export const runErrors: readonly ErrorCode[] = [
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
  'budget_exceeded',
  'price_unknown',
  'unrecorded',
  'interrupted',
  'gave_up',
  'not_approved',
  'policy_refused',
  'subject_erasing',
];
