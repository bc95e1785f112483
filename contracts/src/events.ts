import { type Static, type TSchema, Type } from 'typebox';
import { Id, Name, Time } from './field.ts';

export interface EventType<Data extends TSchema = TSchema> {
  readonly version: 1;
  readonly data: Data;
}

/** Every event: what happened, in the past tense, named after the service that says it. Data holds no payloads and no secrets. */
export const events = {
  'identity.workspace-created': { version: 1, data: Type.Object({ workspace: Id, name: Type.String() }) },
  /** What was sealed with its keys cannot be read any more. */
  'identity.workspace-shredded': { version: 1, data: Type.Object({ workspace: Id }) },
  'identity.data-key-rotated': { version: 1, data: Type.Object({ version: Type.Integer() }) },
  'identity.key-created': { version: 1, data: Type.Object({ key: Id, role: Type.String() }) },
  'identity.key-revoked': { version: 1, data: Type.Object({ key: Id }) },
  /** Keys, members and service accounts that may run nothing from now on, what they have queued included. */
  'identity.actors-stopped': { version: 1, data: Type.Object({ actors: Type.Array(Id) }) },
  'identity.member-added': { version: 1, data: Type.Object({ account: Id, role: Type.String() }) },
  'identity.member-changed': { version: 1, data: Type.Object({ account: Id, role: Type.String() }) },
  'identity.member-removed': { version: 1, data: Type.Object({ account: Id }) },
  'identity.invitation-created': { version: 1, data: Type.Object({ invitation: Id, role: Type.String() }) },
  'identity.invitation-revoked': { version: 1, data: Type.Object({ invitation: Id }) },
  'identity.invitation-accepted': {
    version: 1,
    data: Type.Object({ invitation: Id, account: Id, role: Type.String() }),
  },
  'identity.role-put': { version: 1, data: Type.Object({ role: Name }) },
  'identity.role-deleted': { version: 1, data: Type.Object({ role: Name }) },
  'identity.service-account-put': { version: 1, data: Type.Object({ service_account: Name, role: Type.String() }) },
  'identity.service-account-deleted': { version: 1, data: Type.Object({ service_account: Name }) },
  'identity.team-put': { version: 1, data: Type.Object({ team: Name }) },
  'identity.team-deleted': { version: 1, data: Type.Object({ team: Name }) },
  'identity.team-member-added': { version: 1, data: Type.Object({ team: Name, account: Id }) },
  'identity.team-member-removed': { version: 1, data: Type.Object({ team: Name, account: Id }) },
  'identity.member-signed-in': {
    version: 1,
    data: Type.Object({ account: Id, login_session: Id, way: Type.String() }),
  },
  'identity.login-session-ended': { version: 1, data: Type.Object({ account: Id, login_session: Id }) },
  'identity.login-link-created': { version: 1, data: Type.Object({ account: Id, login_link: Id }) },
  'identity.passkey-added': { version: 1, data: Type.Object({ account: Id, passkey: Id }) },
  'identity.passkey-deleted': { version: 1, data: Type.Object({ account: Id, passkey: Id }) },
  'identity.member-admitted': {
    version: 1,
    data: Type.Object({ account: Id, role: Type.String(), provider: Name }),
  },
  'identity.scim-user-put': { version: 1, data: Type.Object({ account: Id, active: Type.Boolean() }) },
  'identity.scim-user-deleted': { version: 1, data: Type.Object({ account: Id }) },
  'identity.scim-group-put': { version: 1, data: Type.Object({ scim_group: Id }) },
  'identity.scim-group-deleted': { version: 1, data: Type.Object({ scim_group: Id }) },
  'identity.provider-put': { version: 1, data: Type.Object({ provider: Name }) },
  'identity.provider-deleted': { version: 1, data: Type.Object({ provider: Name }) },
  'identity.evidence-sealed': { version: 1, data: Type.Object({ evidence: Id, files: Type.Integer() }) },
  'pattern.pattern-created': { version: 1, data: Type.Object({ pattern: Name }) },
  'pattern.version-published': {
    version: 1,
    data: Type.Object({ pattern: Name, version: Type.Integer(), digest: Type.String() }),
  },
  'pattern.label-set': { version: 1, data: Type.Object({ pattern: Name, label: Name, version: Type.Integer() }) },
  'pattern.label-removed': { version: 1, data: Type.Object({ pattern: Name, label: Name }) },
  'pattern.pattern-deleted': { version: 1, data: Type.Object({ pattern: Name }) },
  'pattern.pattern-deprecated': {
    version: 1,
    data: Type.Object({ pattern: Name, successor: Type.Union([Name, Type.Null()]) }),
  },
  'pattern.deprecation-lifted': { version: 1, data: Type.Object({ pattern: Name }) },
  'pattern.team-set': { version: 1, data: Type.Object({ pattern: Name, team: Type.Union([Name, Type.Null()]) }) },
  'pattern.pattern-restored': { version: 1, data: Type.Object({ pattern: Name }) },
  'pattern.tree-imported': {
    version: 1,
    data: Type.Object({ patterns: Type.Integer(), changed: Type.Integer(), strategies: Type.Integer() }),
  },
  'pattern.strategy-put': { version: 1, data: Type.Object({ strategy: Name }) },
  'pattern.strategy-deleted': { version: 1, data: Type.Object({ strategy: Name }) },
  'pattern.context-put': { version: 1, data: Type.Object({ context: Name }) },
  'pattern.context-deleted': { version: 1, data: Type.Object({ context: Name }) },
  'pattern.session-put': { version: 1, data: Type.Object({ session: Name }) },
  'pattern.session-deleted': { version: 1, data: Type.Object({ session: Name }) },
  'pattern.provider-put': { version: 1, data: Type.Object({ provider: Name }) },
  'pattern.provider-deleted': { version: 1, data: Type.Object({ provider: Name }) },
  'pattern.run-decided': {
    version: 1,
    data: Type.Object({ run: Id, step: Type.String(), decision: Type.String() }),
  },
  'pattern.budget-put': { version: 1, data: Type.Object({ budget: Name }) },
  'pattern.budget-deleted': { version: 1, data: Type.Object({ budget: Name }) },
  /** Said once for each share and period: 50, 80 and 100 per cent of the limit that is nearest. */
  'pattern.budget-reached': {
    version: 1,
    data: Type.Object({
      budget: Name,
      share: Type.Union([Type.Literal(50), Type.Literal(80), Type.Literal(100)]),
      spent_micros: Type.Integer(),
      spent_tokens: Type.Integer(),
      resets_at: Time,
    }),
  },
  'pattern.queue-put': {
    version: 1,
    data: Type.Object({ concurrency: Type.Union([Type.Integer(), Type.Null()]) }),
  },
  'pattern.redaction-put': {
    version: 1,
    data: Type.Object({
      kinds: Type.Array(Type.String()),
      expressions: Type.Array(Type.String()),
      model: Type.Boolean(),
    }),
  },
  'pattern.timer-put': { version: 1, data: Type.Object({ timer: Name }) },
  'pattern.timer-deleted': { version: 1, data: Type.Object({ timer: Name }) },
  'pattern.timer-failed': {
    version: 1,
    data: Type.Object({ timer: Name, at: Time, code: Type.String() }),
  },
  'pattern.provider-tested': { version: 1, data: Type.Object({ provider: Name, ok: Type.Boolean() }) },
  'pattern.batch-created': { version: 1, data: Type.Object({ batch: Id, pattern: Name, lines: Type.Integer() }) },
  'pattern.batch-paused': {
    version: 1,
    data: Type.Object({ batch: Id, reason: Type.Union([Type.String(), Type.Null()]) }),
  },
  'pattern.batch-resumed': { version: 1, data: Type.Object({ batch: Id }) },
  'pattern.batch-cancelled': { version: 1, data: Type.Object({ batch: Id }) },
  'pattern.retention-put': { version: 1, data: Type.Object({ rules: Type.Integer() }) },
  'pattern.hold-put': { version: 1, data: Type.Object({ hold: Name }) },
  'pattern.hold-lifted': { version: 1, data: Type.Object({ hold: Name }) },
  'pattern.subject-exported': { version: 1, data: Type.Object({}) },
  'pattern.subject-erasing': { version: 1, data: Type.Object({ erasure: Id }) },
  /** `state` as of an erasure: done, or held. */
  'pattern.subject-erased': { version: 1, data: Type.Object({ erasure: Id, state: Type.String() }) },
  'pattern.batch-finished': { version: 1, data: Type.Object({ batch: Id, status: Type.String() }) },
} as const satisfies Record<string, EventType>;

export type EventName = keyof typeof events;
export type EventData<Name extends EventName> = Static<(typeof events)[Name]['data']>;
