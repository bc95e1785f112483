import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { applyImport } from './apply-import.ts';
import type { TransferParts } from './transfer-parts.ts';

type ImportArchive = typeof transferOperations.importArchive;

/** All or nothing. What the archive is, its first bytes say; `origin` names it, and a single pattern after it. */
export async function importArchive(
  parts: TransferParts,
  context: CallContext,
  { origin, path = '', on_conflict = 'fail', dry_run = false }: InputOf<ImportArchive>,
): Promise<OutputOf<ImportArchive>> {
  const pieces = context.body ?? [];
  if (pieces.length === 0) {
    throw new AppError('invalid_request', 'Send the archive as the body, with the content type application/zip.', {
      pointer: '',
    });
  }
  const name = path.split('/').filter(Boolean).at(-1) ?? (origin ?? '').replace(/\.(?:zip|tar|tgz|tar\.gz)$/i, '');
  const plan = await parts.planner.planArchive(pieces, { name, within: path }, context.signal);
  return applyImport(parts, context, plan, {
    action: 'importArchive',
    source: { kind: 'import', ...(origin !== undefined && { origin }) },
    onConflict: on_conflict,
    dryRun: dry_run,
  });
}
