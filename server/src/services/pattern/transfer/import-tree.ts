import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import type { CallContext } from '#platform/call.ts';
import { applyImport } from './apply-import.ts';
import { planImport } from './plan-import.ts';
import type { TransferParts } from './transfer-parts.ts';

type ImportTree = typeof transferOperations.importTree;

// Below both a thread costs more than it saves.
const filesAtOnce = 100;
const charactersAtOnce = 256 * 1024;

/** All or nothing. A dry run answers the same report, conflicts included, and keeps nothing. */
export async function importTree(
  parts: TransferParts,
  context: CallContext,
  { files, origin, on_conflict = 'fail', dry_run = false }: InputOf<ImportTree>,
): Promise<OutputOf<ImportTree>> {
  const plan = isSmall(files)
    ? await planImport(files, origin)
    : await parts.planner.planFiles(files, origin ?? '', context.signal);
  return applyImport(parts, context, plan, {
    action: 'importTree',
    source: { kind: 'import', ...(origin !== undefined && { origin }) },
    onConflict: on_conflict,
    dryRun: dry_run,
  });
}

function isSmall(files: InputOf<ImportTree>['files']): boolean {
  let characters = 0;
  for (const { content } of files) characters += content.length;
  return files.length <= filesAtOnce && characters <= charactersAtOnce;
}
