import type { EventData, EventName } from '@damask/contracts/events.ts';
import type { Actor, CallContext } from './call.ts';
import type { Clock } from './clock.ts';
import type { Transaction } from './database/database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { digestOf } from './state-digest.ts';

/** What an audit row says was done. */
export interface AuditNote {
  /** Named after the operation: `publishVersion`. */
  readonly action: string;
  /** What it was done to: `pattern/summarize`. */
  readonly subject: string;
  /** More for the audit row; never payloads or secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a subject is, as far as the audit log follows it. */
export interface SubjectState {
  readonly subject: string;
  readonly state: object;
}

/** What a service tells of its subjects. States hold no texts of people: their digests are stored as they are. */
export interface SubjectStates {
  /** Of those that `list` lists. */
  readonly kinds: readonly string[];
  /** Null where there is none, undefined for a kind that is not followed. */
  read(transaction: Transaction, subject: string): Promise<object | null | undefined>;
  list(transaction: Transaction): Promise<readonly SubjectState[]>;
}

export interface TrailEntry<Name extends EventName> extends AuditNote {
  readonly event: Name;
  readonly data: EventData<Name>;
}

/** Of a context, what an audit row tells. */
export type AuditContext = Pick<CallContext, 'workspace' | 'actor' | 'requestId' | 'address' | 'reason'>;

/** What every write leaves behind in its own transaction: an audit row and an event. */
export interface Trail {
  leave<Name extends EventName>(transaction: Transaction, context: CallContext, entry: TrailEntry<Name>): Promise<void>;
  /** Before the change: what the subject is now becomes the digest `before` of the row that this transaction leaves. */
  look(transaction: Transaction, subject: string): Promise<void>;
  /** An audit row alone: for reads of what is sensitive, and for what was refused. */
  note(transaction: Transaction, context: AuditContext, entry: AuditNote & { outcome?: 'refused' }): Promise<void>;
}

export function createTrail(service: string, clock: Clock, states?: SubjectStates): Trail {
  const looked = new WeakMap<Transaction, Map<string, string | null>>();
  const digest = async (transaction: Transaction, subject: string) => {
    const state = await states?.read(transaction, subject);
    return state ? digestOf(state) : null;
  };
  const note: Trail['note'] = async (transaction, context, entry) => {
    const { workspace, actor, requestId, address, reason } = context;
    const { action, subject, details, outcome } = entry;
    const before = looked.get(transaction)?.get(subject);
    const after = outcome === 'refused' ? null : await digest(transaction, subject);
    // Another row of the same transaction begins where this one ended.
    looked.get(transaction)?.set(subject, after);
    await transaction.query(
      `insert into ${service}.audit (workspace, id, actor_kind, actor_id, actor_account, auth, action, subject, outcome,
          before, after, address, reason, details, request_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        workspace,
        clock.uuid(),
        actor.kind,
        actor.id,
        actor.account ?? null,
        waysIn(actor),
        action,
        subject,
        outcome ?? 'done',
        before ?? null,
        after,
        address ?? null,
        reason ?? null,
        JSON.stringify(details ?? {}),
        requestId,
      ],
    );
  };
  return {
    note,
    async look(transaction, subject) {
      const known = looked.get(transaction) ?? new Map<string, string | null>();
      known.set(subject, await digest(transaction, subject));
      looked.set(transaction, known);
    },
    async leave(transaction, context, { event, data, ...entry }) {
      await note(transaction, context, entry);
      await appendEvents(transaction, clock, context, [{ name: event, data } as NewEvent]);
    },
  };
}

/** How an actor proved who it is. */
export function waysIn({ kind, id, session }: Actor): string {
  if (kind === 'key') return 'api_key';
  if (session !== undefined) return 'login_session';
  if (kind === 'system') return id === 'anyone' ? 'none' : 'system';
  return 'token';
}
