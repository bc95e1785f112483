import type { EventData, EventName } from '@damask/contracts/events.ts';
import type { CallContext } from './call.ts';
import type { Clock } from './clock.ts';
import type { Transaction } from './database/database.ts';
import { appendEvents, type NewEvent } from './events.ts';

export interface TrailEntry<Name extends EventName> {
  /** Named after the operation: `publishVersion`. */
  readonly action: string;
  /** What it was done to: `pattern/summarize`. */
  readonly subject: string;
  /** More for the audit row; never payloads or secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly event: Name;
  readonly data: EventData<Name>;
}

/** What every write leaves behind in its own transaction: an audit row and an event. */
export interface Trail {
  leave<Name extends EventName>(transaction: Transaction, context: CallContext, entry: TrailEntry<Name>): Promise<void>;
}

export function createTrail(service: string, clock: Clock): Trail {
  return {
    async leave(transaction, context, { action, subject, details, event, data }) {
      await transaction.query(
        `insert into ${service}.audit (workspace, id, actor_kind, actor_id, action, subject, details, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          context.workspace,
          clock.uuid(),
          context.actor.kind,
          context.actor.id,
          action,
          subject,
          JSON.stringify(details ?? {}),
          context.requestId,
        ],
      );
      await appendEvents(transaction, clock, context, [{ name: event, data } as NewEvent]);
    },
  };
}
