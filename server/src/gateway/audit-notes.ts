import type { auditOperations, NotedCall } from '@damask/contracts/audit.ts';
import type { Client } from '#platform/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { systemContext } from '#platform/system-context.ts';
import type { Principal } from './principal.ts';

/** A call that the audit log tells of although it changed nothing. */
export interface Seen {
  readonly caller: Pick<Principal, 'workspace' | 'actor'>;
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
  readonly code?: string | undefined;
  readonly address: string;
  readonly reason?: string | undefined;
  readonly requestId: string;
}

/** Told to identity in groups of like calls: no request waits for it, and no storm of them fills the log. */
export interface AuditNotes {
  note(seen: Seen): void;
  /** Tells what is left. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const tellEvery = 5_000;
const toldAtOnce = 200;
/** Groups that wait; of strangers, who can be anybody, fewer. */
const mostGroups = 2_000;
const mostStrangers = 100;

interface Group {
  readonly note: Omit<NotedCall, 'count' | 'first_at' | 'last_at'>;
  readonly first: number;
  count: number;
  last: number;
}

export function createAuditNotes(options: {
  identity: Pick<Client<typeof auditOperations>, 'noteAudit'>;
  clock: Clock;
  log: Log;
}): AuditNotes {
  const { identity, clock, log } = options;
  let groups = new Map<string, Group>();
  let strangers = 0;
  let lost = 0;
  let timer: Timer | undefined;
  let telling: Promise<void> = Promise.resolve();

  async function tell() {
    timer?.cancel();
    timer = undefined;
    const list = [...groups];
    groups = new Map();
    strangers = 0;
    while (list.length > 0 || lost > 0) {
      const part = list.splice(0, toldAtOnce);
      const told = lost;
      try {
        await identity.noteAudit(systemContext(clock), { notes: part.map(([, group]) => toNote(group)), lost: told });
        lost -= told;
      } catch (error) {
        for (const [key, group] of [...part, ...list]) {
          if (groups.size < mostGroups && !groups.has(key)) groups.set(key, group);
          else lost += group.count;
        }
        log.warn('What the audit log tells of refused calls and reads waits for identity', { error, lost });
        timer ??= clock.after(tellEvery, flushSoon);
        return;
      }
    }
  }

  const flush = () => {
    telling = telling.then(tell);
    return telling;
  };
  const flushSoon = () => void flush();

  return {
    note({ caller, action, subject, outcome, code, address, reason, requestId }) {
      const { workspace, actor } = caller;
      const stranger = actor.id === 'anyone';
      const key = JSON.stringify([workspace, actor.id, actor.session, action, subject, outcome, code, address, reason]);
      const now = clock.now();
      const group = groups.get(key);
      timer ??= clock.after(tellEvery, flushSoon);
      if (group) {
        group.count += 1;
        group.last = now;
      } else if (groups.size >= mostGroups || (stranger && strangers >= mostStrangers)) {
        lost += 1;
      } else {
        if (stranger) strangers += 1;
        groups.set(key, {
          note: {
            workspace,
            actor_kind: actor.kind,
            actor_id: actor.id,
            ...(actor.account === undefined ? {} : { actor_account: actor.account }),
            ...(actor.session === undefined ? {} : { actor_session: true }),
            action,
            subject: subject.slice(0, 300),
            outcome,
            ...(code === undefined ? {} : { code }),
            address: address.slice(0, 100),
            ...(reason === undefined ? {} : { reason }),
            request_id: requestId,
          },
          first: now,
          count: 1,
          last: now,
        });
      }
    },
    flush,
    async stop() {
      timer?.cancel();
      if (groups.size > 0 || lost > 0) await flush();
    },
  };
}

function toNote({ note, count, first, last }: Group): NotedCall {
  return { ...note, count, first_at: new Date(first).toISOString(), last_at: new Date(last).toISOString() };
}
