import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { BatchItem } from '@damask/contracts/batch-operations.ts';
import { checkLine, type LineRules } from './check-line.ts';
import { createDuplicates } from './duplicate-lines.ts';
import { createLineChunks, type LineChunk } from './line-chunk.ts';
import type { LineFault } from './line-fault.ts';
import type { ReadPiece } from './read-lines.ts';

const itemsAtOnce = 25;

/** Reads a list that came inline as an upload is read: line 1 is its first item. */
export async function* checkItems(
  items: readonly BatchItem[],
  { rules, deterministic }: { readonly rules: LineRules; readonly deterministic: boolean },
): AsyncGenerator<ReadPiece> {
  const chunks = createLineChunks();
  const duplicates = deterministic ? createDuplicates(items.length) : undefined;
  for (let at = 0; at < items.length; at += itemsAtOnce) {
    const faults: LineFault[] = [];
    const full: LineChunk[] = [];
    for (const [offset, item] of items.slice(at, at + itemsAtOnce).entries()) {
      const line = at + offset + 1;
      const fault = checkLine(rules, line, item, () => null);
      if (fault) {
        faults.push({ ...fault, pointer: `/items/${line - 1}${fault.pointer ?? ''}` });
        continue;
      }
      const first = (item.metadata?.subject === undefined && duplicates?.firstWith(item, line)) || line;
      const chunk = chunks.add({ line, ...item, ...(first === line ? {} : { same: first }) });
      if (chunk) full.push(chunk);
    }
    yield { chunks: full, faults };
    await letOthersRun();
  }
  const rest = chunks.flush();
  if (rest) yield { chunks: [rest], faults: [] };
}
