import { allItems } from './all-items.ts';
import type * as api from './generated.ts';
import type { CallOptions, Connection } from './open-operation.ts';
import { streamBytes } from './stream-bytes.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

export function auditCalls(connection: Connection, call: Call) {
  return {
    audit: {
      /** One page of who did what, newest first, and how far the log is sealed. Throws `forbidden`. */
      list: (input: api.ListAuditInput = {}, options?: CallOptions) => call('listAudit', input, options),
      /** All of it, page by page as the loop goes on. */
      listAll: (input: Omit<api.ListAuditInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listAudit', { limit: 200, ...input, cursor }, options)),
      /** The chain of a period as bytes: JSONL, or CSV. */
      exportBytes: (input: api.ExportAuditInput = {}, options?: CallOptions) =>
        streamBytes(connection, 'exportAudit', input, options),
      /** What of keys, members, roles and providers is not what the log said last: somebody changed it by hand. */
      state: async (options?: CallOptions) => {
        const [identity, patterns] = await Promise.all([
          call('readAuditState', {}, options),
          call('readPatternAuditState', {}, options),
        ]);
        return { items: [...identity.items, ...patterns.items] };
      },
      /** One page of signed checkpoints, newest first, with the public keys. */
      checkpoints: (input: api.ListAuditCheckpointsInput = {}, options?: CallOptions) =>
        call('listAuditCheckpoints', input, options),
    },
    evidence: {
      /** The version that runs, its bill of materials, and which controls it has. Throws `forbidden`. */
      program: (options?: CallOptions) => call('readProgram', {}, options),
      /** Signs the digests of collected files, with who collected them and when. Throws `forbidden`, `unavailable`. */
      seal: (input: api.SealEvidenceInput, options?: CallOptions) => call('sealEvidence', input, options),
    },
  };
}
