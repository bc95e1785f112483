import type { BatchLineError, batchOperations } from '@damask/contracts/batch-operations.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace } from '../library/library-parts.ts';
import type { BatchParts } from './batch-parts.ts';
import { readBatch } from './batch-store.ts';
import { listLinesAfter, readEnds, readLines } from './line-store.ts';
import { readRejected } from './read-rejected.ts';

type Operation = (typeof batchOperations)['listBatchErrors'];

/** Lines that were rejected and lines that failed, merged by line. */
export async function listBatchErrors(
  parts: BatchParts,
  context: CallContext,
  { batch: id, limit = 50, cursor }: InputOf<Operation>,
): Promise<OutputOf<Operation>> {
  const { workspace } = context;
  const scope = { list: 'batch errors', workspace, filter: id };
  const after = cursor === undefined ? 0 : Number(parts.cursors.decode(scope, cursor)[0]);
  const found = await inWorkspace(parts, context, async (transaction): Promise<BatchLineError[]> => {
    if (!(await readBatch(transaction, id))) throw notFound();
    const rejected = await readRejected(parts, transaction, { workspace, batch: id }, { after, most: limit + 1 });
    const lines = await listLinesAfter(transaction, id, { after, limit: limit + 1, failed: true });
    const firsts = lines.flatMap(({ same_as }) => same_as ?? []);
    const originals = new Map((await readLines(transaction, id, firsts)).map(({ line, run }) => [line, run]));
    const runOf = ({ run, same_as }: (typeof lines)[number]) => run ?? originals.get(same_as ?? 0) ?? null;
    const ends = await readEnds(
      transaction,
      lines.flatMap((line) => runOf(line) ?? []),
    );
    return [
      ...rejected.map((fault) => ({ ...fault, status: 'rejected' as const, run: null })),
      ...lines.map((line) => {
        const run = runOf(line);
        const end = run === null ? undefined : ends.get(run);
        return {
          line: line.line,
          column: null,
          status: 'failed' as const,
          code: end?.error_code ?? 'internal',
          detail: end?.error_detail ?? '',
          pointer: null,
          run,
        };
      }),
    ];
  });
  const items = found.sort((one, other) => one.line - other.line).slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last ? { items, next: parts.cursors.encode(scope, [String(last.line)]) } : { items };
}
