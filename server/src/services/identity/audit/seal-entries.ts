import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Clock } from '#platform/clock.ts';
import { type Database, sqlState, type Transaction } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import { readUnsealed, saveUnsealedPosition, type UnsealedRow } from '#platform/unsealed-audit.ts';
import { asPlatform, tryLock } from './audit-parts.ts';
import { chainStart, type SealedRow, sealRow } from './chain-entry.ts';
import * as store from './chain-store.ts';

export interface SealParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditSources: readonly string[];
}

/** Rows of a service in one transaction; hashing them takes some milliseconds. */
const rowsAtOnce = 1_000;
/** Hashed before others run. */
const hashedAtOnce = 50;
const duplicate = '23505';

/**
 * Moves what the services wrote into the chains, in the order of commits. Answers how many entries it sealed, null when
 * another process is at it. All in one transaction: after a kill nothing is there twice and nothing is missing.
 */
export async function sealEntries(parts: SealParts): Promise<number | null> {
  try {
    return await sealPage(parts, false);
  } catch (error) {
    if (sqlState(error) !== duplicate) throw error;
    // The cursor was set back by hand: what is in the chain stays there once.
    parts.log.error('Audit rows came that are sealed already; they are passed over', { error });
    return sealPage(parts, true);
  }
}

function sealPage(parts: SealParts, careful: boolean): Promise<number | null> {
  return asPlatform(parts, async (transaction) => {
    if (!(await tryLock(transaction, 'seal'))) return null;
    const found = await readUnsealed(transaction, parts.auditSources, rowsAtOnce);
    if (found.length === 0) return 0;
    const known = careful
      ? await store.findSealed(
          transaction,
          found.map(({ id }) => id),
        )
      : undefined;
    const rows = known ? found.filter(({ id }) => !known.has(id)) : found;
    const { sealed, ends } = await chain(parts, transaction, rows);
    if (sealed.length > 0) {
      await store.insertEntries(transaction, sealed);
      await store.noteHeads(transaction, ends, parts.clock.now());
    }
    await saveUnsealedPosition(transaction, found);
    return found.length;
  });
}

async function chain(parts: SealParts, transaction: Transaction, rows: readonly UnsealedRow[]) {
  const workspaces = [...new Set(rows.map(({ workspace }) => workspace))];
  const heads = await store.readHeads(transaction, workspaces);
  await tellOfCuts(parts, transaction, workspaces, heads);
  let position = rows.length > 0 ? await store.readLastPosition(transaction) : 0;
  const sealed: (SealedRow & { readonly position: number })[] = [];
  for (const row of rows) {
    const entry = sealRow(heads.get(row.workspace) ?? chainStart, row);
    heads.set(row.workspace, { seq: entry.seq, hash: entry.hash });
    position += 1;
    sealed.push({ ...entry, position });
    if (sealed.length % hashedAtOnce === 0) await letOthersRun();
  }
  return { sealed, ends: workspaces.map((workspace) => ({ workspace, seq: heads.get(workspace)?.seq ?? 0 })) };
}

/** The platform never takes entries away, so somebody did. It goes on: the checkpoints outside show what is missing. */
async function tellOfCuts(
  { log }: SealParts,
  transaction: Transaction,
  workspaces: readonly string[],
  heads: ReadonlyMap<string, { readonly seq: number }>,
) {
  for (const [workspace, counted] of await store.readCounted(transaction, workspaces)) {
    const seq = heads.get(workspace)?.seq ?? 0;
    if (seq >= counted) continue;
    log.error('Entries of the audit log were taken away from behind. Run `damask audit verify` with the checkpoints', {
      workspace,
      counted,
      found: seq,
    });
  }
}
