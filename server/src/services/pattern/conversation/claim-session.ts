import { sessionLimit } from '@damask/contracts/session.ts';
import type { Transaction } from '#platform/database/database.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';
import { busy, refuseLong } from './session-errors.ts';
import * as store from './session-store.ts';
import { insertTurns, listTurnRows } from './turn-store.ts';
import { type OpenTurn, openTurns, type Said, sealTurns } from './turn-text.ts';

/** The right of one run to go on in a session. */
export interface SessionClaim {
  /** What was said so far, oldest first. */
  readonly turns: readonly OpenTurn[];
  /**
   * Writes what the run said, before its end is recorded; it counts once that end is recorded as a success. Does nothing
   * when the session was deleted in the meantime.
   */
  append(run: string, said: readonly Said[]): Promise<void>;
  /** Gives the session back after the end is recorded. Where it is not known how, the next reader finds it out. */
  end(turns: 'append' | 'drop'): Promise<void>;
}

/** Seconds that a claim outlives the longest course of its run. */
const grace = 60;

/**
 * Takes the session for one run of `timeoutMs` at most; the first use makes it. Errors: `session_busy` while another run
 * has it, `session_too_long` when it has grown too long for another turn.
 */
export async function claimSession(
  parts: ConversationParts,
  wish: { readonly workspace: string; readonly name: string; readonly timeoutMs: number },
): Promise<SessionClaim> {
  const { vault, clock, registry, log } = parts;
  const { workspace, name } = wish;
  await vault.ready(workspace);
  const token = clock.uuid();
  const seconds = wish.timeoutMs / 1000 + grace;
  const { id, from, rows } = await changeSession(parts, workspace, name, async (transaction, session) => {
    refuseLong(session);
    await store.claimSession(transaction, session.id, { token, process: registry.id, seconds });
    const page = { after: 0, last: session.turns, limit: sessionLimit.turns };
    return { id: session.id, from: session.turns + 1, rows: await listTurnRows(transaction, session.id, page) };
  });
  const place = { workspace, id };
  const within = <Result>(work: (transaction: Transaction) => Promise<Result>) => inWorkspace(parts, workspace, work);

  const claim: SessionClaim = {
    turns: [],
    async append(run, said) {
      const created_at = new Date(clock.now());
      const sealed = await sealTurns(vault, place, from, said);
      const turns = sealed.map((turn) => ({ ...turn, content: turn.sealed, run, created_at }));
      await within(async (transaction) => {
        if (!(await store.lockClaim(transaction, id, token))) return;
        await insertTurns(transaction, place, from, turns);
        const bytes = turns.reduce((sum, turn) => sum + turn.bytes, 0);
        await store.notePending(transaction, id, { run, turns: turns.length, bytes });
      });
    },
    async end(outcome) {
      await within(async (transaction) => {
        if (!(await store.lockClaim(transaction, id, token))) return;
        if (outcome === 'append') return store.settleTurns(transaction, id, new Date(clock.now()));
        await store.dropTurns(transaction, id);
        await store.removeEmptyClaim(transaction, id);
      }).catch((error: unknown) => log.warn('A session is settled with its next use', { error }));
    },
  };
  try {
    return { ...claim, turns: await openTurns(vault, place, rows) };
  } catch (error) {
    await claim.end('drop');
    throw error;
  }
}

/**
 * Works on a session that nobody else is working on, made if there is none. What its last run appended is settled first.
 * Errors: `session_busy`.
 */
export async function changeSession<Result>(
  parts: ConversationParts,
  workspace: string,
  name: string,
  work: (transaction: Transaction, session: store.LockedSession) => Promise<Result>,
): Promise<Result> {
  const { clock, registry } = parts;
  let gone: string | null = null;
  for (;;) {
    const now = new Date(clock.now());
    const outcome = await inWorkspace(parts, workspace, async (transaction) => {
      const fresh = { workspace, name, id: clock.uuid(), now };
      let session = await store.lockSession(transaction, fresh);
      if (session.claim !== null) {
        const free = session.ended !== null || session.expired || session.claimed_by === gone;
        if (!free) return { holder: session.claimed_by as string };
        if (session.ended === 'succeeded') await store.settleTurns(transaction, session.id, now);
        else await store.dropTurns(transaction, session.id);
        session = await store.lockSession(transaction, fresh);
      }
      return { result: await work(transaction, session) };
    });
    if ('result' in outcome) return outcome.result;
    // Asked outside the transaction, on a connection of its own. A process that died gives nothing back.
    if (gone !== null || !(await registry.isGone(outcome.holder))) throw busy();
    gone = outcome.holder;
  }
}
