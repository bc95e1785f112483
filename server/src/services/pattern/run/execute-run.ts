import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { toAcceptedRow } from './begin-run.ts';
import { callModel } from './call-model.ts';
import type { EngineParts, Execution, Stop } from './engine.ts';
import { appendTurns, recordEnd, toError, toFinishedRow, toRun } from './finish-run.ts';
import type { LiveRun } from './live-runs.ts';
import { createOutputText } from './output-text.ts';
import { createRunStream } from './run-stream.ts';

/**
 * Calls the model and records the run. The acceptance is committed while the call is on its way, or before it where the
 * run has a key; nothing that names the run leaves before that, and the last byte leaves after the end is committed.
 */
export async function executeRun(parts: EngineParts, context: CallContext, execution: Execution): Promise<Run> {
  const { journal, live, clock } = parts;
  const { plan } = execution;
  await parts.payloads.ready(context.workspace);
  // Nothing is waited for from here until the run is among the live ones: a drain that begins must see it.
  journal.admit();
  live.admit();
  const started = clock.monotonic();
  const row = toAcceptedRow(parts, context, execution);
  const most = plan.version.output.max_characters ?? undefined;
  const output = createOutputText(most);
  const stream = context.sink ? createRunStream(context.sink, row, output) : undefined;

  let call: ReturnType<typeof callModel> | undefined;
  let stopped: Stop | undefined;
  let pausing = false;
  const stop = (code: ErrorCode, detail: string) => {
    stopped ??= { code, detail };
    call?.abort(code, detail);
  };
  // Whoever reads along gets what is stored, once it is.
  const late = plan.redact !== null;
  const running: LiveRun = {
    row,
    stop,
    output: late ? createOutputText() : output,
    readers: null,
    ...(late ? { late } : {}),
  };
  const leave = () => {
    const { reason } = context.signal;
    if (reason instanceof AppError) stop('run_cancelled', reason.message);
    else if (running.readers?.size) running.readers.whenLeft(() => stop('run_cancelled', 'The last reader left.'));
    else stop('run_cancelled', 'The client left.');
  };
  const waitForReader = async () => {
    pausing = true;
    const late = clock.after(parts.readerWithin, () => {
      if (execution.onDisconnect === 'cancel' && !running.readers?.size) stop('slow_consumer', tooSlow);
      else stream?.cutOff();
      call?.resume();
    });
    await stream?.drained();
    late.cancel();
    pausing = false;
    call?.resume();
  };
  live.add(running);
  try {
    const written = execution.claim ? undefined : journal.accept(row);
    const accepted = written?.committed ?? execution.claim?.accept(row) ?? Promise.resolve();
    // A call goes out for whoever owns the key, and nobody does before the claim is committed.
    if (execution.claim) await accepted;
    call = callModel(parts, execution, stream !== undefined, (text) => {
      const fit = output.push(text);
      running.readers?.wake();
      if (output.full) stop('truncated', `The answer is longer than the ${most} characters that the pattern allows.`);
      if (!stream || stream.take(fit)) return true;
      if (!pausing) void waitForReader();
      return false;
    });
    if (stopped) call.abort(stopped.code, stopped.detail);
    if (execution.onDisconnect === 'cancel') {
      if (context.signal.aborted) leave();
      else context.signal.addEventListener('abort', leave, { once: true });
    }
    const recorded = accepted.then(
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
    const ended = toFinishedRow(parts, row, result, stopped, output, clock.monotonic() - started);
    const finished = execution.conversation ? await appendTurns(execution.conversation, ended, output) : ended;
    const told = await parts.confirm(
      await recordEnd(parts, finished, execution, output, result, { recorded, written }),
      started,
    );
    if (execution.conversation) await execution.conversation.end(told);
    parts.observe(told);
    const run = toRun(told, execution, output, result);
    if (!late) running.readers?.end(run);
    // Who takes nothing would not take the end either, which holds the whole text once more: that connection is closed.
    if (stream?.opened && told.error_code !== 'slow_consumer') {
      if (stream.close(rest, run)) return run;
      throw new AppError('slow_consumer', tooSlow, { runId: row.id });
    }
    stream?.giveUp();
    if (told.status === 'succeeded') return run;
    throw toError(told, result);
  } finally {
    context.signal.removeEventListener('abort', leave);
    live.remove(running);
    running.readers?.close();
  }
}

const tooSlow = 'The client took nothing for too long. Read the stream faster, or ask without stream.';
