import type { Transaction } from '#platform/database/database.ts';
import type { StepDecision, WaitReason } from './ports.ts';

/** A step that somebody is asked about. */
export interface AskedStep {
  readonly path: string;
  readonly why: Exclude<WaitReason, 'retry'>;
}

/**
 * Steps of a run that somebody is asked about, nothing being decided yet; undefined: no such run is queued. Holds the run's work
 * until the transaction ends: what is decided in it is not missed by a worker that gives the run back meanwhile.
 */
export async function lockAskedSteps(transaction: Transaction, run: string): Promise<AskedStep[] | undefined> {
  const held = await transaction.query('select from pattern.task where id = $1 for update', [run]);
  if (held.length === 0) return undefined;
  return transaction.query<AskedStep>(
    `select path, why from pattern.step where run = $1 and state = 'waiting' and why <> 'retry' and decision is null
      order by started_at, path`,
    [run],
  );
}

/** Keeps a decision and brings the run back to the list. `comment` is sealed. */
export async function keepDecision(
  transaction: Transaction,
  given: {
    readonly run: string;
    readonly path: string;
    readonly decision: StepDecision['decision'];
    readonly actor: string;
    readonly comment: Buffer | null;
  },
): Promise<void> {
  const { run, path, decision, actor, comment } = given;
  await transaction.query(
    `update pattern.step set decision = $3, decided_by = $4, decided_at = now(), comment = $5 where run = $1 and path = $2`,
    [run, path, decision, actor, comment],
  );
  await transaction.query(`update pattern.task set ready_at = now() where id = $1 and state = 'waiting'`, [run]);
}
