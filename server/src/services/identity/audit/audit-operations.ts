import type { auditOperations } from '@damask/contracts/audit.ts';
import type { Implementation } from '#platform/call.ts';
import { findHandChanges } from '#platform/changed-by-hand.ts';
import type { AuditParts } from './audit-parts.ts';
import { exportAudit } from './export-audit.ts';
import { listAudit } from './list-audit.ts';
import { listAuditCheckpoints } from './list-checkpoints.ts';
import { noteAudit } from './note-audit.ts';
import { requireWholeLog } from './require-whole-log.ts';
import { statesOfIdentity } from './state-store.ts';

export function createAuditOperations(parts: AuditParts): Implementation<typeof auditOperations> {
  return {
    /** Sealed entries, newest first, and how far the log is sealed. Errors: `forbidden`, `invalid_cursor`. */
    listAudit: (context, input) => listAudit(parts, context, input),
    /** The chain of a period as bytes. Errors: `forbidden`. */
    exportAudit: (context, input) => exportAudit(parts, context, input),
    /** Errors: `forbidden`, `invalid_cursor`. */
    listAuditCheckpoints: (context, input) => listAuditCheckpoints(parts, context, input),
    /** Errors: `forbidden`. */
    async readAuditState(context) {
      requireWholeLog(context);
      return { items: await findHandChanges(parts.database, 'identity', context.workspace, statesOfIdentity) };
    },
    /** Groups of calls that the edge refused, and of reads of what is sensitive. */
    noteAudit: (_context, input) => noteAudit(parts, input),
  };
}
