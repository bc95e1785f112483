import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import type { EngineParts } from './engine.ts';
import type { LiveRun } from './live-runs.ts';
import { readRun } from './read-run.ts';
import { placeAt, readerLeft, sendText, type TextPlace } from './replay-text.ts';
import type { RunParts } from './run-parts.ts';
import { createRunReaders } from './run-readers.ts';

const start: TextPlace = { index: 0, bytes: 0 };

/**
 * The events of a run from a place in its output on: what is there already, then what comes, then its end. Without a
 * place from the acceptance on. Errors: `unavailable` for a run that another process is executing.
 */
export async function followRun(
  parts: RunParts,
  context: CallContext,
  { run: id, after }: InputOf<(typeof runOperations)['streamRun']>,
): Promise<Run> {
  const sink = context.sink as EventSink;
  const live = parts.engine.live.find(context.workspace, id);
  if (live) return followLive(parts.engine, context, sink, live, after);
  const run = await readRun(parts, context.workspace, id);
  if (run.finished_at === null) throw elsewhere(id);
  // Of a run whose texts are gone only the end is left to tell.
  const from =
    after === undefined ? start : run.output === null ? { index: 0, bytes: after } : placeAt(run.output, after);
  if (!from) throw noSuchPlace();
  if (after === undefined) accept(sink, run);
  const { bytes } = await sendText(parts.engine, context, sink, run.output ?? '', from);
  sink.emit(`run.${run.status}`, bytes, run);
  return run;
}

async function followLive(
  engine: EngineParts,
  context: CallContext,
  sink: EventSink,
  live: LiveRun,
  after: number | undefined,
): Promise<Run> {
  const { output, row } = live;
  let place = after === undefined ? start : placeAt(output.text, after);
  if (!place) throw noSuchPlace();
  live.readers ??= createRunReaders();
  const { readers } = live;
  let resume: () => void = () => undefined;
  const wake = () => resume();
  readers.join(wake);
  context.signal.addEventListener('abort', wake, { once: true });
  try {
    // Nothing new may come for long: an empty piece tells that the place was found.
    if (after === undefined) accept(sink, row);
    else sink.emit('output.delta', after, { text: '' });
    for (;;) {
      place = await sendText(engine, context, sink, output.text, place);
      if (context.signal.aborted) throw readerLeft();
      // While a slow reader was waited for more may have come.
      if (place.index < output.text.length) continue;
      if (readers.ended) break;
      if (readers.closed) throw elsewhere(row.id);
      await new Promise<void>((resolve) => {
        resume = resolve;
      });
    }
    const run = readers.ended;
    sink.emit(`run.${run.status}`, place.bytes, run);
    return run;
  } finally {
    context.signal.removeEventListener('abort', wake);
    readers.leave(wake);
  }
}

function accept(sink: EventSink, { id, pattern, version, model }: Pick<Run, 'id' | 'pattern' | 'version' | 'model'>) {
  sink.emit('run.accepted', 0, { id, pattern, version, model });
}

function noSuchPlace(): AppError {
  return new AppError(
    'invalid_request',
    'The output has no such place. Give the id of the last event that came, or leave it out to read from the start.',
    { pointer: '/after' },
  );
}

function elsewhere(id: string): AppError {
  return new AppError(
    'unavailable',
    'Another process executes this run, and only it can be read along there. Ask again when the run has ended.',
    { runId: id, retryAfterSeconds: 2 },
  );
}
