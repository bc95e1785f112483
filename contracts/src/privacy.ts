import { type Static, Type } from 'typebox';
import { BatchItem } from './batch-operations.ts';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';
import { DataClass } from './pattern-settings.ts';
import { Run } from './run.ts';
import { Subject } from './run-request.ts';
import { RunStep } from './run-step.ts';
import { TurnRole } from './session.ts';
import { TimerRun } from './timer.ts';

export const RetentionOf = Type.Union(
  [
    Type.Literal('runs'),
    Type.Literal('records'),
    Type.Literal('batches'),
    Type.Literal('sessions'),
    Type.Literal('timer_ticks'),
  ],
  {
    description:
      'runs: the texts of runs that have ended, of which the records stay. records: runs as a whole. batches: batches that have ended, with their lines. sessions: by their last turn. timer_ticks: kept for 90 days at most in any case.',
  },
);
export type RetentionOf = Static<typeof RetentionOf>;

export const RetentionRule = strict({
  of: RetentionOf,
  data_class: Type.Optional(DataClass),
  environment: Type.Optional(Name),
  days: Type.Integer({ minimum: 1, maximum: 36_500, description: 'Whole days of 24 hours since it was accepted.' }),
});
export type RetentionRule = Static<typeof RetentionRule>;

export const Retention = Type.Object({
  least_class: Type.Union([DataClass], { description: 'No run of the workspace has a lower class than this.' }),
  rules: Type.Array(RetentionRule, {
    description: 'The one that names most counts, a class more than an environment. What none covers is kept for ever.',
  }),
  updated_at: Type.Union([Time, Type.Null()], { description: 'Null: nothing was ever set.' }),
});
export type Retention = Static<typeof Retention>;

/** Removals of a day that have the same reason. */
export const Removal = Type.Object({
  id: Id,
  removed_at: Time,
  reason: Type.Union([Type.Literal('retention'), Type.Literal('erasure')]),
  of: RetentionOf,
  way: Type.Union([Type.Literal('shredded'), Type.Literal('deleted'), Type.Literal('dropped')], {
    description: 'Its texts were taken away; its rows were deleted; its whole week was dropped.',
  }),
  data_class: Type.Union([DataClass, Type.Null()]),
  environment: Type.Union([Name, Type.Null()]),
  count: Type.Integer(),
  oldest: Time,
  newest: Time,
});
export type Removal = Static<typeof Removal>;

const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const LegalHold = Type.Object({
  name: Name,
  reason: Type.String(),
  subject: nullableText('What is about this end user.'),
  pattern: nullableText('What runs of this pattern left.'),
  since: Type.Union([Time, Type.Null()], { description: 'What was accepted from here on.' }),
  until: Type.Union([Time, Type.Null()], { description: 'What was accepted before.' }),
  placed_at: Time,
  placed_by: Type.String(),
});
export type LegalHold = Static<typeof LegalHold>;

export const Erasure = Type.Object({
  id: Id,
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('held')], {
    description:
      'done: a search afterwards found nothing. held: a legal hold came in between, and what it covers stays.',
  }),
  hold: nullableText('The hold that stopped it.'),
  removed: Type.Object({
    runs: Type.Integer({ description: 'Runs whose texts, metadata and subject were taken away.' }),
    steps: Type.Integer(),
    pieces: Type.Integer({ description: 'Pieces of output that were still being said.' }),
    turns: Type.Integer(),
    batch_lines: Type.Integer(),
    timers: Type.Integer({ description: 'Timers that named the subject; they are deleted.' }),
    keys: Type.Integer({ description: 'Keys of the subject: 1 where its personal texts were sealed with one.' }),
  }),
  cancelled: Type.Integer({ description: 'Runs of the subject that had not ended.' }),
  started_at: Time,
  finished_at: Type.Union([Time, Type.Null()]),
});
export type Erasure = Static<typeof Erasure>;

/** One thing that is kept about a subject. */
export const SubjectRecord = Type.Union([
  Type.Object({ kind: Type.Literal('run'), run: Run, steps: Type.Array(RunStep) }),
  Type.Object({
    kind: Type.Literal('turn'),
    session: Name,
    number: Type.Integer(),
    role: TurnRole,
    content: Type.String(),
    run: Id,
  }),
  Type.Object({ kind: Type.Literal('batch_line'), batch: Id, line: Type.Integer(), item: BatchItem }),
  Type.Object({ kind: Type.Literal('timer'), timer: Name, run: TimerRun }),
]);
export type SubjectRecord = Static<typeof SubjectRecord>;

const byHold = { hold: Name };
const Time40 = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }));

export const privacyOperations = {
  readRetention: operation({
    method: 'GET',
    path: '/v1/retention',
    permission: 'privacy:read',
    summary: 'How long what is kept, and the least data class of runs',
    input: strict({}),
    output: Retention,
    status: 200,
    errors: [],
  }),
  putRetention: operation({
    method: 'PUT',
    path: '/v1/retention',
    permission: 'privacy:write',
    summary: 'Set how long what is kept; what is over is removed soon afterwards',
    input: strict({
      least_class: Type.Optional(
        Type.Union([DataClass], {
          description: 'public by default: each run has the class of its pattern and variables.',
        }),
      ),
      rules: Type.Array(RetentionRule, { maxItems: 100 }),
    }),
    output: Retention,
    status: 200,
    errors: [],
  }),
  listRemovals: operation({
    method: 'GET',
    path: '/v1/retention/removals',
    permission: 'privacy:read',
    summary: 'What retention and erasures have removed, newest first, a row for each day, kind, class and environment',
    input: strict({ ...page }),
    output: pageOf(Removal),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  listHolds: operation({
    method: 'GET',
    path: '/v1/holds',
    permission: 'privacy:read',
    summary: 'Legal holds of the workspace by name',
    input: strict({ ...page }),
    output: pageOf(LegalHold),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  putHold: operation({
    method: 'PUT',
    path: '/v1/holds/{hold}',
    permission: 'privacy:write',
    summary:
      'Hold what is about a subject, of a pattern and of a period, as far as named: neither retention nor erasure removes it',
    input: strict({
      ...byHold,
      reason: Type.String({ minLength: 1, maxLength: 1_000 }),
      subject: Type.Optional(Subject),
      pattern: Type.Optional(Name),
      since: Time40('What was accepted from here on. RFC 3339, UTC.'),
      until: Time40('What was accepted before. RFC 3339, UTC.'),
    }),
    output: LegalHold,
    status: 200,
    errors: ['policy_refused', 'subject_erasing'],
  }),
  deleteHold: operation({
    method: 'DELETE',
    path: '/v1/holds/{hold}',
    permission: 'privacy:write',
    summary: 'Lift a legal hold; retention removes what it held back',
    input: strict(byHold),
    output: LegalHold,
    status: 200,
    errors: ['not_found'],
  }),
  exportSubject: operation({
    method: 'POST',
    path: '/v1/subjects/export',
    permission: 'privacy:write',
    summary: 'All that is kept about an end user, a page at a time',
    input: strict({
      subject: Subject,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20 })),
      cursor: page.cursor,
    }),
    output: pageOf(SubjectRecord),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  eraseSubject: operation({
    method: 'POST',
    path: '/v1/subjects/erasures',
    permission: 'privacy:write',
    summary: 'Erase what is kept about an end user; goes on by itself until a search finds nothing more',
    input: strict({ subject: Subject }),
    output: Erasure,
    status: 202,
    errors: ['on_hold'],
  }),
  listErasures: operation({
    method: 'GET',
    path: '/v1/subjects/erasures',
    permission: 'privacy:read',
    summary: 'Erasures, newest first; none names its subject',
    input: strict({ ...page }),
    output: pageOf(Erasure),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readErasure: operation({
    method: 'GET',
    path: '/v1/subjects/erasures/{erasure}',
    permission: 'privacy:read',
    summary: 'How far an erasure is, and what it removed',
    input: strict({ erasure: Id }),
    output: Erasure,
    status: 200,
    errors: ['not_found'],
  }),
} satisfies Operations;
