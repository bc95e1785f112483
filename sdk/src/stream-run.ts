import { DamaskError } from './damask-error.ts';
import type { CreateRunInput, RerunRunInput, RunEvent, StreamRunInput } from './generated.ts';
import { type CallOptions, type Connection, openOperation } from './open-operation.ts';
import { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';

const terminal: ReadonlySet<string> = new Set<RunEvent['event']>(['run.succeeded', 'run.failed', 'run.cancelled']);
const known: ReadonlySet<string> = new Set<RunEvent['event']>([
  'run.accepted',
  'output.delta',
  'output.restarted',
  'step.changed',
  'run.succeeded',
  'run.failed',
  'run.cancelled',
]);

/** A new run, one that is run again, or one that is followed from a place in its output on. */
export type RunStart =
  | { readonly operation: 'createRun'; readonly input: CreateRunInput }
  | { readonly operation: 'rerunRun'; readonly input: RerunRunInput }
  | { readonly operation: 'streamRun'; readonly input: StreamRunInput };

/** Starts or follows a run and yields its events as they come; the last one is terminal, else it throws `truncated`. */
export async function* streamRun(
  connection: Connection,
  { operation, input }: RunStart,
  options: CallOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const sent = operation === 'streamRun' ? input : { ...input, stream: true };
  const answer = await openOperation(connection, operation, sent, options, 'text/event-stream');
  answer.stopTimeout();
  let runId: string | undefined;
  try {
    const { body, headers } = answer.response;
    if (!body || !headers.get('content-type')?.startsWith('text/event-stream')) {
      throw new DamaskError('unexpected_response', 'The answer is not a stream: does a proxy stand in between?');
    }
    for await (const raw of readServerSentEvents(body)) {
      // A newer server may say more than this sdk knows.
      if (!known.has(raw.event)) continue;
      const event = toRunEvent(raw);
      if (event.event === 'run.accepted') runId = event.data.id;
      yield event;
      if (terminal.has(event.event)) return;
    }
    throw truncated(runId);
  } catch (error) {
    throw answer.explain(error) ?? (error instanceof DamaskError ? error : truncated(runId, error));
  } finally {
    answer.close();
  }
}

function toRunEvent({ event, id, data }: ServerSentEvent): RunEvent {
  try {
    return { event, id: Number(id), data: JSON.parse(data) } as RunEvent;
  } catch (cause) {
    throw new DamaskError('unexpected_response', `The event ${event} could not be read.`, {}, { cause });
  }
}

function truncated(runId: string | undefined, cause?: unknown): DamaskError {
  const detail = 'The stream ended before the run did. Look at the run, or run it again.';
  return new DamaskError('truncated', detail, { runId }, { cause });
}
