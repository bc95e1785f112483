import type { transferOperations } from '@damask/contracts/transfer.ts';
import type { Implementation } from '#platform/call.ts';
import { exportArchive } from './export-archive.ts';
import { exportTree } from './export-tree.ts';
import { importArchive } from './import-archive.ts';
import { importGit } from './import-git.ts';
import { importTree } from './import-tree.ts';
import type { TransferParts } from './transfer-parts.ts';

/** What brings a whole library in or out. Inputs are checked and permissions asked for before they come here. */
export function createTransferOperations(parts: TransferParts): Implementation<typeof transferOperations> {
  return {
    /** All or nothing. Errors: `invalid_tree`, `import_conflict` unless `on_conflict` decides. */
    importTree: (context, input) => importTree(parts, context, input),
    /** The archive is the context's body. Errors: the same, `invalid_archive`, `timeout`. */
    importArchive: (context, input) => importArchive(parts, context, input),
    /** Errors: the same, `egress_denied`, `invalid_repository`, `unavailable` when the server cannot be reached. */
    importGit: (context, input) => importGit(parts, context, input),
    /** Pages of files; `limit` counts patterns. Errors: `not_found` when a named pattern is not there, `invalid_cursor`. */
    exportTree: (context, input) => exportTree(parts, context, input),
    /** Bytes go to the context's sink, as base64. Errors: `not_found`, `too_large`. */
    exportArchive: (context, input) => exportArchive(parts, context, input),
  };
}
