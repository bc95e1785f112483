import { allItems } from './all-items.ts';
import type * as api from './generated.ts';
import type { CallOptions } from './open-operation.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

export function privacyCalls(call: Call) {
  return {
    retention: {
      /** How long what is kept, and the least data class of runs. */
      read: (options?: CallOptions) => call('readRetention', {}, options),
      /** Replaces all rules; what is over is removed soon afterwards. */
      put: (input: api.PutRetentionInput, options?: CallOptions) => call('putRetention', input, options),
      /** One page of what was removed, newest first. */
      removals: (input: api.ListRemovalsInput = {}, options?: CallOptions) => call('listRemovals', input, options),
      /** All that was removed, newest first. */
      removalsAll: (input: Omit<api.ListRemovalsInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listRemovals', { limit: 200, ...input, cursor }, options)),
    },
    holds: {
      /** One page of legal holds by name. */
      list: (input: api.ListHoldsInput = {}, options?: CallOptions) => call('listHolds', input, options),
      /** All legal holds by name. */
      listAll: (input: Omit<api.ListHoldsInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listHolds', { limit: 200, ...input, cursor }, options)),
      /** Holds what is about a subject, of a pattern and of a period, as far as named. */
      put: (input: api.PutHoldInput, options?: CallOptions) => call('putHold', input, options),
      /** Lifts a hold. Throws `not_found`. */
      delete: (input: api.DeleteHoldInput, options?: CallOptions) => call('deleteHold', input, options),
    },
    subjects: {
      /** One page of what is kept about an end user. */
      export: (input: api.ExportSubjectInput, options?: CallOptions) => call('exportSubject', input, options),
      /** All that is kept about an end user, page by page as the loop goes on. */
      exportAll: (input: Omit<api.ExportSubjectInput, 'cursor'>, options?: CallOptions) =>
        allItems((cursor) => call('exportSubject', { ...input, cursor }, options)),
      /** Begins to erase what is kept about an end user. Throws `on_hold`. */
      erase: (input: api.EraseSubjectInput, options?: CallOptions) => call('eraseSubject', input, options),
      /** How far an erasure is. Throws `not_found`. */
      erasure: (input: api.ReadErasureInput, options?: CallOptions) => call('readErasure', input, options),
      /** One page of erasures, newest first. */
      erasures: (input: api.ListErasuresInput = {}, options?: CallOptions) => call('listErasures', input, options),
      /** All erasures, newest first. */
      erasuresAll: (input: Omit<api.ListErasuresInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('listErasures', { limit: 200, ...input, cursor }, options)),
    },
  };
}
