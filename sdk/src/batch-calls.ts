import { allItems } from './all-items.ts';
import { callOperation } from './call-operation.ts';
import type * as api from './generated.ts';
import type { CallOptions, Connection } from './open-operation.ts';
import { streamBytes } from './stream-bytes.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

/** Lines as bytes: whole, or piece by piece as they are read from somewhere. */
export type UploadedBytes = Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>;

/** What a line came to, as `results` answers it in JSONL. */
export interface BatchResultLine {
  readonly line: number;
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'rejected';
  readonly output: string | null;
  readonly data?: unknown;
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly run: string | null;
  readonly same_as?: number;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_micros: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export function batchCalls(connection: Connection, call: Call) {
  const results = (input: api.ReadBatchResultsInput, options?: CallOptions) =>
    streamBytes(connection, 'readBatchResults', input, options);
  return {
    /** Runs a list of inputs. Throws `invalid_batch`, whose problems name line, column and reason. */
    create: (input: api.CreateBatchInput, options?: CallOptions) => call('createBatch', input, options),
    /** The same with lines in JSONL or CSV. A stream is sent as it comes, and once: it cannot be retried. */
    upload: (
      bytes: UploadedBytes,
      format: 'csv' | 'jsonl',
      input: Omit<api.CreateBatchInput, 'items'>,
      options?: CallOptions,
    ) =>
      callOperation(
        connection,
        'createBatch',
        input,
        { timeoutMs: 0, ...options },
        {
          bytes,
          contentType: format === 'csv' ? 'text/csv' : 'application/jsonl',
        },
      ),
    /** One page of batches, newest first. */
    list: (input: api.ListBatchesInput = {}, options?: CallOptions) => call('listBatches', input, options),
    /** All batches, newest first. */
    listAll: (input: Omit<api.ListBatchesInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listBatches', { limit: 200, ...input, cursor }, options)),
    /** How far it is, what it cost and when it will end. */
    read: (input: api.ReadBatchInput, options?: CallOptions) => call('readBatch', input, options),
    /** Begins no more runs; those under way end. */
    pause: (input: api.PauseBatchInput, options?: CallOptions) => call('pauseBatch', input, options),
    resume: (input: api.ResumeBatchInput, options?: CallOptions) => call('resumeBatch', input, options),
    /** Stops it and its runs that are under way. */
    cancel: (input: api.CancelBatchInput, options?: CallOptions) => call('cancelBatch', input, options),
    /** Lines that were rejected or failed, in input order. */
    errors: (input: api.ListBatchErrorsInput, options?: CallOptions) => call('listBatchErrors', input, options),
    /** All of them. */
    errorsAll: (input: Omit<api.ListBatchErrorsInput, 'cursor'>, options?: CallOptions) =>
      allItems((cursor) => call('listBatchErrors', { limit: 200, ...input, cursor }, options)),
    /** The bytes of the ended lines in input order, up to the first that has not ended; with `wait` until all have. */
    resultBytes: results,
    /** The same line by line. To go on after a break, name the last line that came as `after`. */
    async *results(
      input: Omit<api.ReadBatchResultsInput, 'format'>,
      options?: CallOptions,
    ): AsyncGenerator<BatchResultLine, void, undefined> {
      const decoder = new TextDecoder();
      let rest = '';
      for await (const bytes of results({ ...input, format: 'jsonl' }, options)) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as BatchResultLine;
      }
    },
  };
}
