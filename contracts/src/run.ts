import { type Static, Type } from 'typebox';
import { KeptAttachment } from './attachment.ts';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { Digest, Id, MicroUnits, Name, Time } from './field.ts';
import { RunFlag } from './guard.ts';
import { ToolCall } from './message.ts';
import { DataClass, Deprecation } from './pattern-settings.ts';

/** Bytes of a run's body. */
export const runLimit = 4 * 1024 * 1024;

export const RunStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('waiting'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
]);
export type RunStatus = Static<typeof RunStatus>;

export const Usage = Type.Object({
  input_tokens: Type.Union([Type.Integer(), Type.Null()]),
  output_tokens: Type.Union([Type.Integer(), Type.Null()]),
  cached_input_tokens: Type.Union([Type.Integer(), Type.Null()]),
  reasoning_tokens: Type.Union([Type.Integer(), Type.Null()]),
});
export type Usage = Static<typeof Usage>;

export const Attempt = Type.Object({
  number: Type.Integer(),
  model: Type.String(),
  outcome: Type.Union([
    Type.Literal('succeeded'),
    Type.Literal('failed'),
    Type.Literal('cancelled'),
    Type.Literal('uncertain'),
  ]),
  code: Type.Union([Type.String(), Type.Null()]),
  provider_status: Type.Union([Type.Integer(), Type.Null()], { description: 'HTTP status of the provider.' }),
  first_output_ms: Type.Union([Type.Number(), Type.Null()]),
  total_ms: Type.Union([Type.Number(), Type.Null()]),
});
export type Attempt = Static<typeof Attempt>;

export const RunPriority = Type.Union([Type.Literal('interactive'), Type.Literal('bulk')], {
  description: 'Of asynchronous runs: interactive ones go before bulk ones.',
});
export type RunPriority = Static<typeof RunPriority>;

/** Where a run stands that is executed asynchronously and has not ended. */
export const RunQueue = Type.Object({
  priority: RunPriority,
  ready_at: Type.Union([Time, Type.Null()], { description: 'Not before; null while somebody is waited for.' }),
  deadline: Type.Union([Time, Type.Null()]),
  deliveries: Type.Integer({ description: 'Processes that died with it since a step of it ended last.' }),
  why: Type.Union([Type.String(), Type.Null()], { description: 'What it waits for.' }),
});
export type RunQueue = Static<typeof RunQueue>;

/** How many steps of a chain are in which state. */
export const StepCounts = Type.Object({
  calling: Type.Integer(),
  succeeded: Type.Integer(),
  failed: Type.Integer(),
  skipped: Type.Integer(),
  waiting: Type.Integer(),
});
export type StepCounts = Static<typeof StepCounts>;

export const TextsGone = Type.Union([Type.Literal('not_stored'), Type.Literal('expired'), Type.Literal('erased')], {
  description: 'Why there are no texts: the pattern stores none, their retention is over, or the end user was erased.',
});
export type TextsGone = Static<typeof TextsGone>;

/** A run without its texts: what lists hold. */
export const RunSummary = Type.Object({
  id: Id,
  status: RunStatus,
  pattern: Name,
  version: Type.Integer(),
  digest: Digest,
  environment: Type.Union([Name, Type.Null()]),
  label: Type.Union([Name, Type.Null()]),
  strategy: Type.Union([Name, Type.Null()]),
  context: Type.Union([Name, Type.Null()]),
  session: Type.Union([Name, Type.Null()]),
  language: Type.Union([Type.String(), Type.Null()]),
  model: Type.String(),
  stream: Type.Boolean(),
  actor: Id,
  metadata: Type.Record(Type.String(), Type.String()),
  data_class: DataClass,
  texts: Type.Optional(TextsGone),
  accepted_at: Time,
  finished_at: Type.Union([Time, Type.Null()]),
  rerun_of: Type.Optional(Id),
  batch: Type.Optional(Id),
  cached: Type.Optional(Type.Literal(true, { description: 'The answer is that of an earlier run.' })),
  cached_from: Type.Optional(Id),
  stop_reason: Type.Union([Type.String(), Type.Null()]),
  usage: Usage,
  cost_micros: Type.Union([MicroUnits, Type.Null()], { description: 'Null: the price is not known.' }),
  currency: Type.Literal('USD'),
  first_output_ms: Type.Union([Type.Number(), Type.Null()]),
  total_ms: Type.Union([Type.Number(), Type.Null()]),
  error: Type.Union([
    Type.Null(),
    Type.Object({
      code: Type.Unsafe<ErrorCode>(Type.Union(Object.keys(errorCatalogue).map((code) => Type.Literal(code)))),
      detail: Type.String(),
    }),
  ]),
  queue: Type.Optional(RunQueue),
  flags: Type.Optional(Type.Array(RunFlag, { description: 'What checks of the pattern found in the answer.' })),
  redacted: Type.Optional(
    Type.Record(Type.String(), Type.Integer(), {
      description: 'How often what was taken out of the stored texts, by kind.',
    }),
  ),
});
export type RunSummary = Static<typeof RunSummary>;

export const Run = Type.Object({
  ...RunSummary.properties,
  attempts: Type.Array(Attempt),
  sanitised: Type.Boolean({ description: 'The output held NUL or broken characters; each became U+FFFD.' }),
  input: Type.Union([Type.String(), Type.Null()]),
  variables: Type.Record(Type.String(), Type.String()),
  attachments: Type.Array(KeptAttachment, { description: 'What was attached, without its bytes.' }),
  output: Type.Union([Type.String(), Type.Null()], { description: 'Of a failed run: what arrived until then.' }),
  tool_calls: Type.Optional(
    Type.Array(ToolCall, { description: 'What the model asks to be called; there when stop_reason is tool_calls.' }),
  ),
  data: Type.Optional(Type.Unknown({ description: 'The output as a value, where the pattern asks for JSON.' })),
  subject: Type.Optional(Type.String()),
  steps: Type.Optional(StepCounts),
  replayed: Type.Optional(Type.Literal(true, { description: 'The answer of an earlier request with the same key.' })),
  deprecated: Type.Optional(
    Type.Unsafe<Deprecation>({
      ...Deprecation,
      description: 'The pattern should not be used any more; told by the call that starts the run.',
    }),
  ),
});
export type Run = Static<typeof Run>;

/** Names and data of a streamed run's events. The event id is the byte offset of the output after the event. */
export const runEvents = {
  'run.accepted': Type.Object({
    id: Id,
    pattern: Name,
    version: Type.Integer(),
    model: Type.String(),
    deprecated: Type.Optional(Deprecation),
  }),
  'output.delta': Type.Object({ text: Type.String() }),
  'output.restarted': Type.Object(
    {},
    { description: 'Another attempt begins: what came so far does not count, and its answer follows from its start.' },
  ),
  'step.changed': Type.Object({
    path: Type.String({ description: 'Of a chain: the step, like `outline` or `sections[3]`.' }),
    state: Type.String(),
  }),
  'run.succeeded': Run,
  'run.failed': Run,
  'run.cancelled': Run,
} as const;
