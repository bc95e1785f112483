import type { EventData, EventName } from '@damask/contracts/events.ts';
import type { Actor, CallContext } from './call.ts';
import type { Clock } from './clock.ts';
import type { Transaction } from './database/database.ts';
import { appendEvents, type NewEvent } from './events.ts';

/** What an audit row says was done. */
export interface AuditNote {
  /** Named after the operation: `publishVersion`. */
  readonly action: string;
  /** What it was done to: `pattern/summarize`. */
  readonly subject: string;
  /** More for the audit row; never payloads or secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Digests of what it was and what it is now (`digestOf`); null where there was or is nothing. */
  readonly before?: string | null;
  readonly after?: string | null;
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
  /** An audit row alone: for reads of what is sensitive, and for what was refused. */
  note(transaction: Transaction, context: AuditContext, entry: AuditNote & { outcome?: 'refused' }): Promise<void>;
}

export function createTrail(service: string, clock: Clock): Trail {
  const note: Trail['note'] = async (transaction, context, entry) => {
    const { workspace, actor, requestId, address, reason } = context;
    const { action, subject, details, before, after, outcome } = entry;
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
        after ?? null,
        address ?? null,
        reason ?? null,
        JSON.stringify(details ?? {}),
        requestId,
      ],
    );
  };
  return {
    note,
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
