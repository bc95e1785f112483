import type { TextThreads } from '#platform/redact/text-threads.ts';
import type { Vault } from '#platform/vault.ts';
import type { Budgets } from '../budget/budgets.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import type { RunPrivacy } from '../privacy/run-privacy.ts';
import type { RunParts } from '../run/run-parts.ts';
import type { LineThreads } from './line-threads.ts';

/** What the operator lets a batch be: lines, good and bad, and bytes of an upload. */
export interface BatchLimits {
  readonly max_lines: number;
  readonly max_bytes: number;
}

/** What batches are built from. */
export interface BatchParts
  extends Omit<LibraryParts, 'afterChange'>,
    Pick<RunParts, 'library' | 'contexts' | 'router' | 'defaultTimeout'> {
  readonly vault: Vault;
  /** Looks through lines for what the model must not see. */
  readonly texts: TextThreads;
  readonly budgets: Budgets;
  readonly privacy: RunPrivacy;
  /** What a subject is found by; needs the vault to be ready. */
  readonly digestSubject: (workspace: string, subject: string) => string;
  readonly threads: LineThreads;
  /** This process. */
  readonly process: string;
  readonly limits: BatchLimits;
  /** Says that there is work. */
  wake(): void;
}

/** What seals the texts of a batch. */
export const planPlace = (batch: string) => ({ table: 'pattern.batch', row: batch, column: 'plan' });
export const chunkPlace = (table: 'batch_chunk' | 'batch_rejected', batch: string, first: number) => ({
  table: `pattern.${table}`,
  row: `${batch} ${first}`,
  column: 'content',
});
