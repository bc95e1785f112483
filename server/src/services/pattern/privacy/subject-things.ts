import type { TimerRun } from '@damask/contracts/timer.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import { chunkPlace } from '../batch/batch-parts.ts';
import { readLineChunk, type StoredLine } from '../batch/line-chunk.ts';
import { openRun } from '../timer/timer-run.ts';
import { listSealedTimers, listSubjectChunks, type SubjectChunk } from './subject-store.ts';

/** What is looked through for a subject that no column names. */
export interface SearchParts {
  readonly vault: Vault;
  /** HMAC of a name. Needs the vault to be ready. */
  readonly digestSubject: (workspace: string, subject: string) => string;
}

const timersAtOnce = 100;

export interface SubjectTimer {
  readonly timer: string;
  readonly run: TimerRun;
}

/** Timers whose runs, or lines, name the subject. Needs the vault to be ready. */
export async function findTimers(
  { vault, digestSubject }: SearchParts,
  transaction: Transaction,
  workspace: string,
  subject: string,
): Promise<SubjectTimer[]> {
  const found: SubjectTimer[] = [];
  const isIt = (metadata: Readonly<Record<string, string>> | undefined) =>
    metadata?.subject !== undefined && digestSubject(workspace, metadata.subject) === subject;
  for (let after: string | null = null, more = true; more; ) {
    const timers = await listSealedTimers(transaction, workspace, after, timersAtOnce);
    for (const { name, run: sealed } of timers) {
      const run = await openRun(vault, workspace, name, sealed);
      if (isIt(run.metadata) || run.items?.some(({ metadata }) => isIt(metadata))) found.push({ timer: name, run });
    }
    after = timers.at(-1)?.name ?? null;
    more = timers.length === timersAtOnce;
  }
  return found;
}

/** Some lines of a batch of which at least one may be the subject's. */
export interface SearchedChunk {
  readonly chunk: SubjectChunk;
  readonly lines: readonly StoredLine[];
  readonly own: readonly StoredLine[];
}

/** The next chunk that names subjects, opened. Needs the vault to be ready. */
export async function searchChunk(
  { vault, digestSubject }: SearchParts,
  transaction: Transaction,
  workspace: string,
  subject: string,
  after: { readonly batch: string; readonly first: number } | undefined,
): Promise<SearchedChunk | undefined> {
  const [chunk] = await listSubjectChunks(transaction, workspace, after, 1);
  if (!chunk) return undefined;
  const bytes = await vault.open(workspace, chunkPlace('batch_chunk', chunk.batch, chunk.first), chunk.content);
  const lines = readLineChunk(bytes);
  const own = lines.filter(
    ({ metadata }) => metadata?.subject !== undefined && digestSubject(workspace, metadata.subject) === subject,
  );
  return { chunk, lines, own };
}
