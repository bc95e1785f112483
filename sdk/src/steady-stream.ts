import { DamaskError } from './damask-error.ts';
import type { RunEvent } from './generated.ts';
import type { CallOptions, Connection } from './open-operation.ts';
import { type RunStart, streamRun } from './stream-run.ts';

/**
 * Yields the events of a run over broken connections: where one breaks and the run lives without it, the next begins at the
 * last event that came. Text comes once, without a gap.
 */
export async function* steadyStream(
  connection: Connection,
  start: RunStart,
  options: CallOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  let source = start;
  let run = start.operation === 'streamRun' ? start.input.run : undefined;
  let after = start.operation === 'streamRun' ? start.input.after : undefined;
  for (let broken = 0; ; ) {
    try {
      for await (const event of streamRun(connection, source, options)) {
        broken = 0;
        after = event.id;
        if (event.event === 'run.accepted') run = event.data.id;
        // An empty piece confirms the place where a stream goes on.
        if (event.event !== 'output.delta' || event.data.text !== '') yield event;
      }
      return;
    } catch (error) {
      if (!isBroken(error) || run === undefined || !livesAlone(start) || broken >= connection.retries) throw error;
      broken += 1;
      source = { operation: 'streamRun', input: after === undefined ? { run } : { run, after } };
    }
  }
}

/** What came last may be half of a stream: the connection broke, and the run may well go on. */
function isBroken(error: unknown): boolean {
  return error instanceof DamaskError && error.code === 'truncated' && error.status === undefined;
}

/** Whether the run goes on without its caller; any other was cancelled by the server when the connection broke. */
function livesAlone(start: RunStart): boolean {
  if (start.operation === 'streamRun') return true;
  const { on_disconnect, idempotency_key } = start.input;
  return (on_disconnect ?? (idempotency_key === undefined ? 'cancel' : 'continue')) === 'continue';
}
