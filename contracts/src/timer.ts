import { type Static, Type } from 'typebox';
import { LanguageTag } from './attachment.ts';
import { BatchItem, batchItemsLimit } from './batch-operations.ts';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { ModelName, Parameters } from './parameters.ts';

/** Bytes of a timer's body. */
export const timerLimit = 1024 * 1024;

const Priority = Type.Union([Type.Literal('interactive'), Type.Literal('bulk')]);

/** What a tick starts: an asynchronous run of `input`, or a batch of `items`. Fields mean what they mean in `POST /v1/runs`. */
export const TimerRun = strict({
  pattern: Name,
  input: Type.Optional(Type.String({ maxLength: timerLimit })),
  items: Type.Optional(
    Type.Array(BatchItem, {
      minItems: 1,
      maxItems: batchItemsLimit,
      description: 'Instead of input and variables: a batch of these is started.',
    }),
  ),
  variables: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,99}$' }), Type.String({ maxLength: timerLimit }), {
      maxProperties: 100,
    }),
  ),
  version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
  label: Type.Optional(Name),
  environment: Type.Optional(Name),
  strategy: Type.Optional(Name),
  context: Type.Optional(Name),
  language: Type.Optional(LanguageTag),
  model: Type.Optional(ModelName),
  parameters: Type.Optional(Parameters),
  metadata: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }), Type.String({ maxLength: 500 }), {
      maxProperties: 18,
      description: 'Runs get `timer` and `tick` beside it.',
    }),
  ),
  priority: Type.Optional(Priority),
});
export type TimerRun = Static<typeof TimerRun>;

export const MissedTicks = Type.Union([Type.Literal('skip'), Type.Literal('last'), Type.Literal('all')], {
  description:
    'Ticks that came due while nothing could fire them: none of them is fired, the newest one, or all of them (the newest 100 at most).',
});
export type MissedTicks = Static<typeof MissedTicks>;

export const TickOverlap = Type.Union([Type.Literal('allow'), Type.Literal('skip')], {
  description: 'What a tick does when the run of the one before has not ended.',
});
export type TickOverlap = Static<typeof TickOverlap>;

export const Cron = Type.String({
  minLength: 1,
  maxLength: 200,
  description:
    'Minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly. Where both days are given, either suffices.',
});
const TimeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'A name of the IANA database: Europe/Berlin.',
});

export const TickState = Type.Union(
  [Type.Literal('fired'), Type.Literal('missed'), Type.Literal('skipped'), Type.Literal('failed')],
  {
    description:
      'fired: a run was accepted. missed: nobody could fire it in time. skipped: the run before had not ended. failed: no run could be accepted.',
  },
);

export const TimerTick = Type.Object({
  at: Type.Unsafe<string>({ ...Time, description: 'When it was due.' }),
  fired_at: Time,
  state: TickState,
  run: Type.Union([Id, Type.Null()]),
  batch: Type.Union([Id, Type.Null()]),
  error: Type.Union([Type.Object({ code: Type.String(), detail: Type.String() }), Type.Null()]),
});
export type TimerTick = Static<typeof TimerTick>;

/** A timer without the texts of what it starts: what lists hold. */
export const TimerSummary = Type.Object({
  name: Name,
  cron: Type.String(),
  time_zone: Type.String(),
  missed: MissedTicks,
  overlap: TickOverlap,
  paused: Type.Boolean(),
  starts_at: Type.Union([Time, Type.Null()]),
  ends_at: Type.Union([Time, Type.Null()]),
  pattern: Name,
  actor: Id,
  next_at: Type.Union([Time, Type.Null()], { description: 'Null: it is paused, or over.' }),
  last: Type.Union([TimerTick, Type.Null()], { description: 'The newest tick.' }),
  updated_at: Time,
});
export type TimerSummary = Static<typeof TimerSummary>;

export const Timer = Type.Object({ ...TimerSummary.properties, run: TimerRun });
export type Timer = Static<typeof Timer>;

const byName = { timer: Name };

export const timerOperations = {
  listTimers: operation({
    method: 'GET',
    path: '/v1/timers',
    permission: 'timer:read',
    summary: 'Timers of the workspace by name',
    input: strict({ ...page }),
    output: pageOf(TimerSummary),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readTimer: operation({
    method: 'GET',
    path: '/v1/timers/{timer}',
    permission: 'timer:read',
    summary: 'One timer with what it starts',
    input: strict(byName),
    output: Timer,
    status: 200,
    errors: ['not_found'],
  }),
  putTimer: operation({
    method: 'PUT',
    path: '/v1/timers/{timer}',
    permission: 'timer:write',
    summary: 'Create or replace a timer: a run that the clock starts',
    input: strict({
      ...byName,
      cron: Cron,
      time_zone: Type.Optional(TimeZone),
      missed: Type.Optional(MissedTicks),
      overlap: Type.Optional(TickOverlap),
      paused: Type.Optional(Type.Boolean()),
      starts_at: Type.Optional(Time),
      ends_at: Type.Optional(Time),
      run: TimerRun,
    }),
    output: TimerSummary,
    status: 200,
    errors: [
      'not_found',
      'model_not_found',
      'missing_variable',
      'invalid_variable',
      'capability_disabled',
      'not_released',
      'input_too_long',
    ],
    bodyLimit: 4 * timerLimit,
  }),
  deleteTimer: operation({
    method: 'DELETE',
    path: '/v1/timers/{timer}',
    permission: 'timer:write',
    summary: 'Delete a timer and its ticks; runs that it started stay',
    input: strict(byName),
    output: TimerSummary,
    status: 200,
    errors: ['not_found'],
  }),
  listTimerTicks: operation({
    method: 'GET',
    path: '/v1/timers/{timer}/ticks',
    permission: 'timer:read',
    summary: 'Ticks of a timer, newest first',
    input: strict({ ...byName, ...page }),
    output: pageOf(TimerTick),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
} satisfies Operations;
