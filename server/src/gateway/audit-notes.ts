import type { auditOperations, NotedCall } from '@damask/contracts/audit.ts';
import type { Client } from '#platform/call.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { hideTokens } from '#platform/redact.ts';
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
/** Groups that wait. One caller who names ever new things gets few of them, and strangers, who can be anybody, still fewer. */
const mostGroups = 2_000;
const mostOfCaller = 50;
const mostStrangers = 20;

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
  let callers = new Map<string, number>();
  let lost = 0;
  let timer: Timer | undefined;
  let telling: Promise<void> = Promise.resolve();

  async function tell() {
    timer?.cancel();
    timer = undefined;
    const list = [...groups];
    groups = new Map();
    callers = new Map();
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
    note(seen) {
      timer ??= clock.after(tellEvery, flushSoon);
      const { workspace, actor } = seen.caller;
      const who = JSON.stringify([workspace, actor.id]);
      const already = callers.get(who) ?? 0;
      const stranger = actor.id === 'anyone';
      // Beyond their share all that a caller does is one thing; of strangers it is only counted.
      const told = !stranger && already >= mostOfCaller ? { ...seen, subject: 'many', address: '' } : seen;
      const key = keyOf(told);
      const now = clock.now();
      const group = groups.get(key);
      if (group) {
        group.count += 1;
        group.last = now;
      } else if (groups.size >= mostGroups || (stranger && already >= mostStrangers)) {
        lost += 1;
      } else {
        callers.set(who, already + 1);
        groups.set(key, { note: describe(told), first: now, count: 1, last: now });
      }
    },
    flush,
    async stop() {
      timer?.cancel();
      if (groups.size > 0 || lost > 0) await flush();
    },
  };
}

function keyOf({ caller, action, subject, outcome, code, address, reason }: Seen): string {
  const { workspace, actor } = caller;
  return JSON.stringify([workspace, actor.id, actor.session, action, subject, outcome, code, address, reason]);
}

function describe({ caller, action, subject, outcome, code, address, reason, requestId }: Seen): Group['note'] {
  const { workspace, actor } = caller;
  return {
    workspace,
    actor_kind: actor.kind,
    actor_id: actor.id,
    ...(actor.account === undefined ? {} : { actor_account: actor.account }),
    ...(actor.session === undefined ? {} : { actor_session: true }),
    action,
    // Of a call that was refused it is what the caller wrote into the address, whatever that was.
    subject: hideTokens(subject).slice(0, 300),
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(address === '' ? {} : { address: address.slice(0, 100) }),
    ...(reason === undefined ? {} : { reason }),
    request_id: requestId,
  };
}

function toNote({ note, count, first, last }: Group): NotedCall {
  return { ...note, count, first_at: new Date(first).toISOString(), last_at: new Date(last).toISOString() };
}
