import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Transaction } from '#platform/database/database.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { type BatchParts, chunkPlace } from './batch-parts.ts';
import type { LockedBatch } from './batch-store.ts';
import { readLineChunk, type StoredLine } from './line-chunk.ts';
import { insertLines, type LineRow, listLines, readChunks, updateLines } from './line-store.ts';
import { openSealed } from './make-line-run.ts';

export interface FillParts extends Pick<BatchParts, 'vault'> {
  /** Makes the run of a line, ready to be queued. */
  readonly toRun: (line: StoredLine) => Promise<Enqueued>;
  /** Queues runs in the transaction. */
  readonly insert: (transaction: Transaction, group: readonly Enqueued[]) => Promise<void>;
}

export interface Filled {
  /** Lines that now have a run or share one, for the first time. */
  readonly begun: number;
  /** Lines that got another run. */
  readonly repeated: number;
  readonly nextLine: number;
  /** Lines whose subjects were erased: they have ended without a run. */
  readonly cancelled: number;
  /** Nothing lies beyond. */
  readonly whole: boolean;
}

/** Lines and sealed bytes that a round begins at most, so that its transaction stays short. */
const linesAtOnce = 1_000;
const bytesAtOnce = 8 * 1024 * 1024;
const groupSize = 50;

/** Makes runs of the next lines, `room` of them at most. Lines and runs are committed together or not at all. */
export async function fillWindow(
  parts: FillParts,
  transaction: Transaction,
  { workspace, id: batch, next_line: after, again }: LockedBatch,
  room: number,
): Promise<Filled> {
  const where = { workspace, batch };
  const open = async (first: number, content: Buffer) =>
    readLineChunk(await openSealed(parts.vault.open(workspace, chunkPlace('batch_chunk', batch, first), content)));
  let left = Math.min(room, linesAtOnce);
  let bytes = 0;
  let repeated = 0;
  let cancelled = 0;

  const enqueue = async (lines: readonly StoredLine[]): Promise<LineRow[]> => {
    const rows: LineRow[] = [];
    const runs: Enqueued[] = [];
    for (const line of lines) {
      if (line.erased) {
        rows.push({ line: line.line, run: null, same_as: null, state: 'cancelled' });
        cancelled += 1;
        continue;
      }
      if (line.same !== undefined) {
        rows.push({ line: line.line, run: null, same_as: line.same, state: 'open' });
        continue;
      }
      const run = await parts.toRun(line);
      runs.push(run);
      bytes += run.task.request.length;
      rows.push({ line: line.line, run: run.row.id, same_as: null, state: 'open' });
    }
    await parts.insert(transaction, runs);
    left -= runs.length;
    await letOthersRun();
    return rows;
  };

  if (again > 0 && left > 0) {
    const wanted = new Set(
      (await listLines(transaction, batch, { state: 'again', limit: left })).map(({ line }) => line),
    );
    while (wanted.size > 0 && bytes < bytesAtOnce) {
      const [chunk] = await readChunks(transaction, 'batch_chunk', batch, { after: Math.min(...wanted) - 1, limit: 1 });
      if (!chunk) break;
      const lines = (await open(chunk.first, chunk.content)).filter(({ line }) => wanted.has(line));
      for (const { line } of lines) wanted.delete(line);
      if (lines.length === 0) break;
      for (const group of groupsOf(lines)) {
        const rows = await enqueue(group);
        await updateLines(transaction, batch, rows);
        repeated += rows.length;
      }
    }
  }
  let begun = 0;
  let nextLine = after;
  let whole = false;
  while (left > 0 && bytes < bytesAtOnce && begun < linesAtOnce) {
    const [chunk] = await readChunks(transaction, 'batch_chunk', batch, { after: nextLine, limit: 1 });
    if (!chunk) {
      whole = true;
      break;
    }
    const lines = (await open(chunk.first, chunk.content)).filter(({ line }) => line > nextLine);
    for (const group of groupsOf(lines)) {
      const fitting = group.slice(0, left);
      const rows = await enqueue(fitting);
      await insertLines(transaction, where, rows);
      begun += rows.length;
      nextLine = rows.at(-1)?.line ?? nextLine;
      if (left <= 0 || bytes >= bytesAtOnce) break;
    }
  }
  return { begun, repeated, nextLine, cancelled, whole };
}

/** Groups that neither hold the event loop for long nor make a statement of many megabytes. */
function* groupsOf(lines: readonly StoredLine[]): Generator<StoredLine[]> {
  let group: StoredLine[] = [];
  let characters = 0;
  for (const line of lines) {
    const size = (line.input?.length ?? 0) + 200;
    if (group.length > 0 && (group.length >= groupSize || characters + size > 1024 * 1024)) {
      yield group;
      group = [];
      characters = 0;
    }
    group.push(line);
    characters += size;
  }
  if (group.length > 0) yield group;
}
