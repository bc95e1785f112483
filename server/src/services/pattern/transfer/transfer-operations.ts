import type { transferOperations } from '@damask/contracts/transfer.ts';
import type { Implementation } from '#platform/call.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import { importTree } from './import-tree.ts';

/** What brings a whole library in or out. Inputs are checked and permissions asked for before they come here. */
export function createTransferOperations(parts: LibraryParts): Implementation<typeof transferOperations> {
  return {
    /** All or nothing. Errors: `invalid_tree`, `import_conflict` unless `on_conflict` decides. */
    importTree: (context, input) => importTree(parts, context, input),
  };
}
