import { allItems } from './all-items.ts';
import type * as api from './generated.ts';
import type { CallOptions, Connection } from './open-operation.ts';
import { steadyStream } from './steady-stream.ts';

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

export function runCalls(connection: Connection, call: Call) {
  return {
    /**
     * Runs a pattern and waits for the whole answer. Throws when the run fails, with its code and `runId`.
     * Aborting the signal cancels the run. Costs are millionths of a US dollar, null where the price is unknown.
     */
    create: (input: Omit<api.CreateRunInput, 'stream'>, options?: CallOptions) =>
      call('createRun', { ...input, stream: false }, { timeoutMs: 0, ...options }),
    /**
     * Runs a pattern and yields its events as they come. The last is `run.succeeded`, `run.failed` or
     * `run.cancelled`; a stream that ends without one throws `truncated`. Leaving the loop or aborting the signal
     * cancels the run. Nothing is sent before the first event is asked for. A run with `on_disconnect: 'continue'` or an
     * `idempotency_key` outlives its connection, and its stream goes on over a new one where the old one broke.
     */
    stream: (input: Omit<api.CreateRunInput, 'stream'>, options?: CallOptions) =>
      steadyStream(connection, { operation: 'createRun', input }, { timeoutMs: 0, ...options }),
    /** Runs what a run ran, with the changes that are named, and waits. Throws `payload_gone` when its texts are gone. */
    rerun: (input: Omit<api.RerunRunInput, 'stream'>, options?: CallOptions) =>
      call('rerunRun', { ...input, stream: false }, { timeoutMs: 0, ...options }),
    /** Runs what a run ran, with the changes that are named, and yields its events as `stream` does. */
    rerunStream: (input: Omit<api.RerunRunInput, 'stream'>, options?: CallOptions) =>
      steadyStream(connection, { operation: 'rerunRun', input }, { timeoutMs: 0, ...options }),
    /** Follows a run from the id of the last event on: what has come since, what comes, and its end, over broken connections. */
    follow: (input: api.StreamRunInput, options?: CallOptions) =>
      steadyStream(connection, { operation: 'streamRun', input }, { timeoutMs: 0, ...options }),
    /** One page of runs, newest first, without their texts. */
    list: (input: api.ListRunsInput = {}, options?: CallOptions) => call('listRuns', input, options),
    /** All runs, newest first, page by page as the loop goes on. */
    listAll: (input: Omit<api.ListRunsInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listRuns', { limit: 200, ...input, cursor }, options)),
    /** One run with its texts and attempts. */
    read: (input: api.ReadRunInput, options?: CallOptions) => call('readRun', input, options),
    /** One page of the steps of a chain's run, in the order in which they began. */
    steps: (input: api.ListRunStepsInput, options?: CallOptions) => call('listRunSteps', input, options),
    /** All steps of a chain's run, page by page as the loop goes on. */
    stepsAll: (input: Omit<api.ListRunStepsInput, 'cursor'>, options?: CallOptions) =>
      allItems((cursor) => call('listRunSteps', { limit: 200, ...input, cursor }, options)),
    /**
     * Accepts a run that a worker executes, and answers once that is committed: status `queued`, an id, no output. It is
     * executed even if every process dies meanwhile. `follow` it, `read` it later, or `cancel` it.
     */
    start: (input: Omit<api.CreateRunInput, 'stream' | 'mode'>, options?: CallOptions) =>
      call('createRun', { ...input, mode: 'async' }, options),
    /** Queues what a failed or cancelled run was to run, as a new run. Throws `run_not_failed`, `payload_gone`. */
    retry: (input: api.RetryRunInput, options?: CallOptions) => call('retryRun', input, options),
    /** Decides what a run waits for. Throws `not_waiting`, `run_finished`. */
    decide: (input: api.DecideRunInput, options?: CallOptions) => call('decideRun', input, options),
    /** Stops a run and its call to the model. Throws `run_finished` when it is too late. */
    cancel: (input: api.CancelRunInput, options?: CallOptions) => call('cancelRun', input, options),
  };
}
