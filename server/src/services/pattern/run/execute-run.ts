import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { ModelCall } from '../model/model-call.ts';
import { toAcceptedRow } from './begin-run.ts';
import type { EngineParts, Execution, Stop } from './engine.ts';
import { appendTurns, recordEnd, toError, toFinishedRow, toRun } from './finish-run.ts';
import { createOutputText } from './output-text.ts';
import { createRunStream } from './run-stream.ts';

/**
 * Calls the model and records the run. The acceptance is committed while the call is on its way; nothing that names
 * the run leaves before that, and the last byte leaves after the end is committed.
 */
export async function executeRun(parts: EngineParts, context: CallContext, execution: Execution): Promise<Run> {
  const { journal, live, clock } = parts;
  await parts.payloads.ready(context.workspace);
  // Nothing is waited for from here until the run is among the live ones: a drain that begins must see it.
  journal.admit();
  live.admit();
  const started = clock.monotonic();
  const row = toAcceptedRow(parts, context, execution);
  const accepted = journal.accept(row);
  const output = createOutputText();
  const stream = context.sink ? createRunStream(context.sink, row, output) : undefined;

  let stopped: Stop | undefined;
  let pausing = false;
  const call: ModelCall = execution.route.port.call({
    model: execution.route.model,
    messages: execution.plan.messages,
    parameters: execution.plan.parameters,
    stream: stream !== undefined,
    timeoutMs: execution.timeoutMs,
    onText: (text) => {
      const fit = output.push(text);
      if (!stream || stream.take(fit)) return true;
      if (!pausing) void waitForReader();
      return false;
    },
  });
  const stop = (code: ErrorCode, detail: string) => {
    stopped ??= { code, detail };
    call.abort(code, detail);
  };
  const waitForReader = async () => {
    pausing = true;
    const late = clock.after(parts.readerWithin, () =>
      stop('slow_consumer', 'The client took nothing for too long. Read the stream faster, or ask without stream.'),
    );
    await stream?.drained();
    late.cancel();
    pausing = false;
    call.resume();
  };
  const leave = () => {
    const { reason } = context.signal;
    stop('run_cancelled', reason instanceof AppError ? reason.message : 'The client left.');
  };
  if (execution.onDisconnect === 'cancel') {
    if (context.signal.aborted) leave();
    else context.signal.addEventListener('abort', leave, { once: true });
  }
  const running = { row, stop };
  live.add(running);
  try {
    const recorded = accepted.committed.then(
      () => stream?.open(),
      (error: unknown) => {
        stop('unrecorded', 'The run could not be recorded.');
        throw error;
      },
    );
    // Awaited below together with the end; without a listener here a rejection in between would be unhandled.
    recorded.catch(() => undefined);
    const result = await call.done;
    const rest = output.end();
    const ended = toFinishedRow(parts, row, execution, result, stopped, output, clock.monotonic() - started);
    const finished = execution.conversation ? await appendTurns(execution.conversation, ended, output) : ended;
    const told = await parts.confirm(await recordEnd(parts, finished, execution, output, recorded), started);
    if (execution.conversation) await execution.conversation.end(told);
    parts.observe(told);
    const run = toRun(told, execution, output);
    // Who takes nothing would not take the end either, which holds the whole text once more: that connection is closed.
    if (stream?.opened && told.error_code !== 'slow_consumer') {
      stream.close(rest, run);
      return run;
    }
    stream?.giveUp();
    if (told.status === 'succeeded') return run;
    throw toError(told, result);
  } finally {
    context.signal.removeEventListener('abort', leave);
    live.remove(running);
  }
}
