import { DamaskError } from './damask-error.ts';
import type { CreateRunInput, RunEvent } from './generated.ts';
import { type CallOptions, type Connection, openOperation } from './open-operation.ts';
import { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';

const terminal: ReadonlySet<string> = new Set<RunEvent['event']>(['run.succeeded', 'run.failed', 'run.cancelled']);
const known: ReadonlySet<string> = new Set<RunEvent['event']>([
  'run.accepted',
  'output.delta',
  'run.succeeded',
  'run.failed',
  'run.cancelled',
]);

/** Starts a run and yields its events as they come; the last one is terminal, else it throws `truncated`. */
export async function* streamRun(
  connection: Connection,
  input: CreateRunInput,
  options: CallOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const answer = await openOperation(connection, 'createRun', { ...input, stream: true }, options, 'text/event-stream');
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
