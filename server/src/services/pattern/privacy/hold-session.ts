import { AppError } from '#platform/app-error.ts';
import type { Transaction } from '#platform/database/database.ts';
import { type HoldRow, holdOn } from './legal-holds.ts';
import { allHolds } from './privacy-store.ts';
import { listSessionRuns } from './retention-store.ts';

interface HeldSession {
  readonly id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The hold on a session: on its time, or on a run that said something in it. */
export async function holdOnSession(
  transaction: Transaction,
  workspace: string,
  holds: readonly HoldRow[],
  { id, created_at, updated_at }: HeldSession,
): Promise<HoldRow | undefined> {
  if (holds.length === 0) return undefined;
  const own = holdOn(holds, { from: created_at, to: updated_at });
  if (own) return own;
  for (const { accepted_at: at, ...run } of await listSessionRuns(transaction, workspace, id)) {
    const hold = holdOn(holds, { ...run, from: at, to: at });
    if (hold) return hold;
  }
  return undefined;
}

/** Nobody removes by hand what retention may not. Errors: `on_hold`. */
export async function refuseHeldSession(
  transaction: Transaction,
  workspace: string,
  session: HeldSession,
): Promise<void> {
  const hold = await holdOnSession(transaction, workspace, await allHolds(transaction), session);
  if (hold) throw onHold(hold);
}

export function onHold({ name, reason }: Pick<HoldRow, 'name' | 'reason'>): AppError {
  return new AppError('on_hold', `The legal hold ${name} keeps this: ${reason}. Lift it first, if that may be.`);
}
