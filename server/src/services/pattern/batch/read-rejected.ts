import type { Transaction } from '#platform/database/database.ts';
import { type BatchParts, chunkPlace } from './batch-parts.ts';
import type { LineFault } from './line-fault.ts';
import { readChunks } from './line-store.ts';

/** Rejected lines after a line, by line: `most` of them, or all there are. */
export async function readRejected(
  { vault }: Pick<BatchParts, 'vault'>,
  transaction: Transaction,
  { workspace, batch }: { readonly workspace: string; readonly batch: string },
  { after, most }: { readonly after: number; readonly most: number },
): Promise<LineFault[]> {
  const found: LineFault[] = [];
  for (let place = after; found.length < most; ) {
    const chunks = await readChunks(transaction, 'batch_rejected', batch, { after: place, limit: 4 });
    for (const { first, last, content } of chunks) {
      const bytes = await vault.open(workspace, chunkPlace('batch_rejected', batch, first), content);
      const faults = JSON.parse(bytes.toString('utf8')) as LineFault[];
      found.push(...faults.filter(({ line }) => line > after));
      place = last;
    }
    if (chunks.length < 4) break;
  }
  return found.slice(0, most);
}
