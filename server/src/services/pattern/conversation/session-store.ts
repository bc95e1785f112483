import type { Session } from '@damask/contracts/session.ts';
import type { Transaction } from '#platform/database/database.ts';
import { busy } from './session-errors.ts';

/** A session as its readers see it: with what its last run appended once that run is recorded as a success. */
export interface SessionRow extends Session {
  readonly id: string;
}

interface RawSession {
  readonly id: string;
  readonly name: string;
  readonly turns: number;
  readonly bytes: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

// A session without `updated_at` is nothing but the claim of its first run.
const visible = `select s.id, s.name, s.created_at,
    s.turns + case when f.status = 'succeeded' then s.pending_turns else 0 end as turns,
    s.bytes + case when f.status = 'succeeded' then s.pending_bytes else 0 end as bytes,
    coalesce(case when f.status = 'succeeded' then f.finished_at end, s.updated_at) as updated_at
  from pattern.session as s left join pattern.finished as f on f.id = s.run
 where (s.updated_at is not null or f.status = 'succeeded')`;

/** By name. */
export async function listSessions(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<Session[]> {
  const rows = await transaction.query<RawSession>(
    `${visible} and ($1::text is null or s.name > $1) order by s.name limit $2`,
    [page.after, page.limit],
  );
  return rows.map((row) => toSession(toRow(row)));
}

export async function findSession(transaction: Transaction, name: string): Promise<SessionRow | undefined> {
  const [row] = await transaction.query<RawSession>(`${visible} and s.name = $1`, [name]);
  return row && toRow(row);
}

/** Removes it with its turns. */
export async function deleteSession(transaction: Transaction, id: string): Promise<boolean> {
  const rows = await transaction.query('delete from pattern.session where id = $1 returning id', [id]);
  return rows.length > 0;
}

/** A session as it is stored, locked until the transaction ends. */
export interface LockedSession {
  readonly id: string;
  readonly turns: number;
  readonly bytes: number;
  readonly created_at: Date;
  /** Null: nothing but the claim of its first run. */
  readonly updated_at: Date | null;
  readonly claim: string | null;
  readonly claimed_by: string | null;
  readonly expired: boolean;
  readonly run: string | null;
  /** How the run ended whose turns are not settled; null while that is not known. */
  readonly ended: string | null;
}

const mostLooks = 5;

/** Finds it or makes it, and locks it. */
export async function lockSession(
  transaction: Transaction,
  fresh: { readonly workspace: string; readonly name: string; readonly id: string; readonly now: Date },
): Promise<LockedSession> {
  // While this waited for its lock another one may have been put under the name: that is seen at the second look.
  for (let look = 0; look < mostLooks; look++) {
    await transaction.query(
      `insert into pattern.session (workspace, name, id, turns, bytes, created_at) values ($1, $2, $3, 0, 0, $4)
       on conflict (workspace, name) do nothing`,
      [fresh.workspace, fresh.name, fresh.id, fresh.now],
    );
    const [row] = await transaction.query<Omit<LockedSession, 'bytes' | 'ended'> & { bytes: string }>(
      `select id, turns, bytes, created_at, updated_at, claim, claimed_by, run,
          coalesce(claimed_until < now(), false) as expired
         from pattern.session where name = $1 for update`,
      [fresh.name],
    );
    if (!row) continue;
    // Asked after the lock: what was recorded until then counts.
    const [end] = row.run
      ? await transaction.query<{ status: string }>('select status from pattern.finished where id = $1', [row.run])
      : [];
    return { ...row, bytes: Number(row.bytes), ended: end?.status ?? null };
  }
  throw busy();
}

/** Takes the session for one run. `seconds` later the claim ends by itself. */
export async function claimSession(
  transaction: Transaction,
  id: string,
  claim: { readonly token: string; readonly process: string; readonly seconds: number },
): Promise<void> {
  await transaction.query(
    `update pattern.session set claim = $2, claimed_by = $3, claimed_until = now() + make_interval(secs => $4)
      where id = $1`,
    [id, claim.token, claim.process, claim.seconds],
  );
}

/** What was appended counts now. */
export async function settleTurns(transaction: Transaction, id: string, now: Date): Promise<void> {
  await transaction.query(
    `update pattern.session set turns = turns + pending_turns, bytes = bytes + pending_bytes, pending_turns = 0,
        pending_bytes = 0, claim = null, claimed_by = null, claimed_until = null, run = null, updated_at = $2
      where id = $1`,
    [id, now],
  );
}

/** What was appended never was. */
export async function dropTurns(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(
    `delete from pattern.turn as t using pattern.session as s
      where t.session = $1 and s.id = $1 and t.number > s.turns`,
    [id],
  );
  await transaction.query(
    `update pattern.session set pending_turns = 0, pending_bytes = 0, claim = null, claimed_by = null,
        claimed_until = null, run = null where id = $1`,
    [id],
  );
}

/** Removes a session that was nothing but a claim. */
export async function removeEmptyClaim(transaction: Transaction, id: string): Promise<void> {
  await transaction.query(
    'delete from pattern.session where id = $1 and updated_at is null and claim is null and turns = 0',
    [id],
  );
}

/** Locks the session of a claim; false when it was deleted, or the claim has ended. */
export async function lockClaim(transaction: Transaction, id: string, token: string): Promise<boolean> {
  const rows = await transaction.query('select from pattern.session where id = $1 and claim = $2 for update', [
    id,
    token,
  ]);
  return rows.length > 0;
}

/** Notes what a run has appended. It counts once the run's end is recorded as a success. */
export async function notePending(
  transaction: Transaction,
  id: string,
  pending: { readonly run: string; readonly turns: number; readonly bytes: number },
): Promise<void> {
  await transaction.query('update pattern.session set run = $2, pending_turns = $3, pending_bytes = $4 where id = $1', [
    id,
    pending.run,
    pending.turns,
    pending.bytes,
  ]);
}

/** Puts a whole conversation in place: a new session under the name. */
export async function insertSession(
  transaction: Transaction,
  row: {
    readonly workspace: string;
    readonly name: string;
    readonly id: string;
    readonly turns: number;
    readonly bytes: number;
    readonly created_at: Date;
    readonly updated_at: Date;
  },
): Promise<void> {
  await transaction.query(
    `insert into pattern.session (workspace, name, id, turns, bytes, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [row.workspace, row.name, row.id, row.turns, row.bytes, row.created_at, row.updated_at],
  );
}

function toRow(row: RawSession): SessionRow {
  return {
    ...row,
    bytes: Number(row.bytes),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** Without what readers do not see. */
export function toSession({ name, turns, bytes, created_at, updated_at }: SessionRow): Session {
  return { name, turns, bytes, created_at, updated_at };
}
