import type { Transaction } from '#platform/database/database.ts';
import type { BatchRow } from './batch-record.ts';
import type { LockedBatch } from './batch-store.ts';
import {
  type LineRow,
  type LineState,
  listLines,
  type RunEndRow,
  readEnds,
  readLines,
  updateLines,
} from './line-store.ts';

/** Runs of a batch that have none but itself to blame are failures; these are the fault of something that somebody can mend. */
const mendable: Readonly<Record<string, string>> = {
  provider_auth: 'The provider refused its key. Enter a new one with `damask providers add`, then resume the batch.',
  model_not_found: 'Its model is not offered any more. Bring it back, then resume the batch.',
  no_model: 'There is no model for its runs. Configure one, then resume the batch.',
  budget_exceeded: 'A budget is used up. Raise it or wait until it begins anew, then resume the batch.',
};

/** Lines of which a round looks at the ends at most. */
export const mostOpen = 5_000;

/** What the ends of runs did to a batch. */
export interface Settled {
  /** To be added to the batch's own counts. */
  readonly counts: Pick<
    BatchRow,
    | 'succeeded'
    | 'failed'
    | 'cancelled'
    | 'shared'
    | 'again'
    | 'input_tokens'
    | 'output_tokens'
    | 'cost_micros'
    | 'unpriced'
  >;
  readonly ended: number;
  /** Lines whose runs are queued or under way. */
  readonly openRuns: readonly string[];
  /** All lines that have not ended, those that wait for the answer of another one too. */
  readonly open: number;
  readonly firstFailed: number | undefined;
  /** Why it should be paused. */
  readonly pauseFor: string | undefined;
}

/** Notes the ends of runs at their lines, and at the lines that share their answers. */
export async function settleLines(
  transaction: Transaction,
  { id: batch, resumed_at: resumed }: Pick<LockedBatch, 'id' | 'resumed_at'>,
): Promise<Settled> {
  const lines = await listLines(transaction, batch, { state: 'open', limit: mostOpen });
  const ends = await readEnds(
    transaction,
    lines.flatMap(({ run }) => run ?? []),
  );
  const counts = {
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    shared: 0,
    again: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_micros: 0,
    unpriced: 0,
  };
  const changed: LineRow[] = [];
  const stateOf = new Map<number, LineState>(lines.map(({ line, state }) => [line, state]));
  let pauseFor: string | undefined;
  let firstFailed: number | undefined;
  const note = (line: LineRow, state: 'succeeded' | 'failed' | 'cancelled') => {
    changed.push({ ...line, state });
    stateOf.set(line.line, state);
    counts[state] += 1;
    if (state === 'failed') firstFailed ??= line.line;
  };
  for (const line of lines) {
    const end = line.run === null ? undefined : ends.get(line.run);
    if (!end) continue;
    addCost(counts, end);
    const mend = end.status === 'failed' ? mendable[end.error_code ?? ''] : undefined;
    if (mend === undefined) note(line, end.status);
    else {
      // What was accepted before the batch was resumed may not have known of what was mended.
      if (resumed === null || end.accepted_at > resumed) pauseFor ??= mend;
      counts.again += 1;
      changed.push({ ...line, state: 'again' });
      stateOf.set(line.line, 'again');
    }
  }
  const copies = lines.filter(({ same_as }) => same_as !== null);
  const unknown = copies.flatMap(({ same_as }) => (stateOf.has(same_as as number) ? [] : (same_as as number)));
  for (const { line, state } of await readLines(transaction, batch, unknown)) stateOf.set(line, state);
  for (const copy of copies) {
    const state = stateOf.get(copy.same_as as number);
    if (state !== 'succeeded' && state !== 'failed' && state !== 'cancelled') continue;
    note(copy, state);
    counts.shared += 1;
  }
  await updateLines(transaction, batch, changed);
  const left = lines.filter(({ line }) => stateOf.get(line) === 'open');
  return {
    counts,
    ended: counts.succeeded + counts.failed + counts.cancelled,
    openRuns: left.flatMap(({ run }) => run ?? []),
    open: left.length,
    firstFailed,
    pauseFor,
  };
}

function addCost(
  counts: { input_tokens: number; output_tokens: number; cost_micros: number; unpriced: number },
  end: RunEndRow,
): void {
  counts.input_tokens += end.input_tokens ?? 0;
  counts.output_tokens += end.output_tokens ?? 0;
  counts.cost_micros += end.cost_micros ?? 0;
  if (end.cost_micros === null) counts.unpriced += 1;
}
