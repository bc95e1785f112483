import { AppError } from '#platform/app-error.ts';
import type { BatchParts } from './batch-parts.ts';
import { chunkPlace } from './batch-parts.ts';
import { deleteBatch, insertReceiving, type NewBatch } from './batch-store.ts';
import type { LineChunk } from './line-chunk.ts';
import type { LineFault } from './line-fault.ts';
import { type ChunkTable, insertChunk, type SealedChunk } from './line-store.ts';
import type { ReadPiece } from './read-lines.ts';

export interface Receiver {
  /** Stores what a piece of the upload brought. Throws `invalid_batch` where nothing of it can be read. */
  keep(piece: ReadPiece): Promise<void>;
  /** Throws `invalid_batch` where the lines are not such that the batch can go on. */
  close(): Promise<{ readonly total: number; readonly rejected: number }>;
  /** Removes all that was stored. */
  remove(): Promise<void>;
}

export interface ReceiveOptions {
  readonly accept: 'all' | 'valid';
  /** Nothing is stored. */
  readonly dry: boolean;
  readonly errorsAfter: number;
}

const errorsShown = 100;
const faultsTogether = 500;

/** Stores lines while they come. What cannot be accepted any more is not stored on, but looked through to its end. */
export function createReceiver(parts: BatchParts, batch: NewBatch, options: ReceiveOptions): Receiver {
  const { database, vault } = parts;
  const { workspace, id } = batch;
  const shown: LineFault[] = [];
  let faults: LineFault[] = [];
  let total = 0;
  let rejected = 0;
  let storing = !options.dry;
  let stored = false;

  const inWorkspace = <Result>(work: Parameters<typeof database.transaction<Result>>[1]) =>
    database.transaction({ role: 'pattern', workspace }, work);

  const sealed = async (table: ChunkTable, { first, last, count, bytes, subjects }: Chunk): Promise<SealedChunk> => {
    const content = await vault.seal(workspace, chunkPlace(table, id, first), bytes);
    return { first, last, count, content, ...(subjects === undefined ? {} : { subjects }) };
  };

  const write = async (table: ChunkTable, chunks: readonly Chunk[]) => {
    if (chunks.length === 0) return;
    const ready = await Promise.all(chunks.map((chunk) => sealed(table, chunk)));
    await inWorkspace(async (transaction) => {
      if (!stored) await insertReceiving(transaction, batch);
      for (const chunk of ready) await insertChunk(transaction, table, { workspace, batch: id }, chunk);
    });
    stored = true;
  };

  const remove = async () => {
    if (!stored) return;
    stored = false;
    await inWorkspace((transaction) => deleteBatch(transaction, id));
  };

  const writeFaults = async (least: number) => {
    while (faults.length > 0 && faults.length >= least) {
      const group = faults.slice(0, faultsTogether);
      faults = faults.slice(faultsTogether);
      const [first, last] = [group[0] as LineFault, group.at(-1) as LineFault];
      const bytes = Buffer.from(JSON.stringify(group));
      await write('batch_rejected', [{ first: first.line, last: last.line, count: group.length, bytes }]);
    }
  };

  return {
    async keep({ chunks, faults: found, fatal }) {
      for (const { count } of chunks) total += count;
      total += found.length;
      rejected += found.length;
      for (const fault of found) {
        if (shown.length < errorsShown && fault.line > options.errorsAfter) shown.push(fault);
      }
      if (fatal) throw refuseWhole(fatal);
      if (options.accept === 'all' && rejected > 0 && storing) {
        storing = false;
        await remove();
      }
      if (!storing) return;
      await write(
        'batch_chunk',
        chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes) })),
      );
      faults.push(...found);
      await writeFaults(faultsTogether);
    },
    async close() {
      if (rejected > 0 && (options.dry || options.accept === 'all' || rejected === total)) {
        throw refuseLines(shown, rejected, total);
      }
      if (storing) await writeFaults(1);
      return { total, rejected };
    },
    remove,
  };
}

type Chunk = Omit<LineChunk, 'subjects'> & { readonly subjects?: boolean };

function refuseWhole(fault: LineFault): AppError {
  const message = `${placeOf(fault)}: ${fault.detail} Nothing was accepted.`;
  return new AppError(fault.code === 'too_large' ? 'too_large' : 'invalid_batch', message, {
    problems: [toFinding(fault)],
  });
}

/** The refusal of lines that were looked at; `shown` are told one by one. */
export function refuseLines(shown: readonly LineFault[], rejected: number, total: number): AppError {
  const [first] = shown;
  const where = first ? ` ${placeOf(first)}: ${first.detail}` : '';
  const last = shown.at(-1);
  const more =
    last && shown.length < rejected
      ? ` The first ${shown.length} are listed; errors_after=${last.line} lists those after them.`
      : '';
  const next =
    rejected === total ? 'Mend them and send it again.' : 'Mend them, or send it with accept=valid to run the others.';
  return new AppError(
    'invalid_batch',
    `${rejected} of ${total} lines cannot be run, so nothing was accepted.${where} ${next}${more}`,
    { problems: shown.map(toFinding) },
  );
}

const placeOf = ({ line, column }: LineFault) => `Line ${line}${column === null ? '' : `, column ${column}`}`;

function toFinding({ line, column, code, pointer, detail }: LineFault) {
  return { pointer: pointer ?? '', detail, line, column, code };
}
