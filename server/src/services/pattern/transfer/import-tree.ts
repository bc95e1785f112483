import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import type { CallContext } from '#platform/call.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import { applyImport } from './apply-import.ts';
import { planImport } from './plan-import.ts';

type ImportTree = typeof transferOperations.importTree;

/** All or nothing. A dry run answers the same report, conflicts included, and keeps nothing. */
export async function importTree(
  parts: LibraryParts,
  context: CallContext,
  { files, origin, on_conflict = 'fail', dry_run = false }: InputOf<ImportTree>,
): Promise<OutputOf<ImportTree>> {
  const plan = await planImport(files, origin);
  return applyImport(parts, context, plan, {
    action: 'importTree',
    source: { kind: 'import', ...(origin !== undefined && { origin }) },
    onConflict: on_conflict,
    dryRun: dry_run,
  });
}
