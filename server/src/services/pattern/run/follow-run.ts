import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import type { EngineParts } from './engine.ts';
import { followElsewhere } from './follow-elsewhere.ts';
import type { LiveRun } from './live-runs.ts';
import { type FollowedPlace, noSuchPlace } from './piece-reader.ts';
import { placeAt, readerLeft, sendText } from './replay-text.ts';
import type { RunParts } from './run-parts.ts';
import { createRunReaders } from './run-readers.ts';

/**
 * The events of a run from a place in its output on, whichever process executes it: what is there already, then what comes,
 * then its end. Without a place from the acceptance on.
 */
export async function followRun(
  parts: RunParts,
  context: CallContext,
  { run, after }: InputOf<(typeof runOperations)['streamRun']>,
): Promise<Run> {
  return followFrom(parts, context, run, { bytes: after ?? 0, accepted: after !== undefined });
}

/** The same from a place that moves along. */
export async function followFrom(
  parts: RunParts,
  context: CallContext,
  id: string,
  place: FollowedPlace,
): Promise<Run> {
  const sink = context.sink as EventSink;
  for (;;) {
    const live = parts.engine.live.find(context.workspace, id);
    const run = live
      ? await followLive(parts.engine, context, sink, live, place)
      : await followElsewhere(parts, context, sink, id, place);
    if (run) return run;
  }
}

/** Answers the end, or undefined when this process let the run go before it ended. */
async function followLive(
  engine: EngineParts,
  context: CallContext,
  sink: EventSink,
  live: LiveRun,
  reached: FollowedPlace,
): Promise<Run | undefined> {
  let { output } = live;
  let place = placeAt(output.text, reached.bytes);
  if (!place) throw noSuchPlace();
  live.readers ??= createRunReaders();
  const { readers } = live;
  let resume: () => void = () => undefined;
  const wake = () => resume();
  readers.join(wake);
  context.signal.addEventListener('abort', wake, { once: true });
  let told = reached.accepted ? (live.steps?.length ?? 0) : 0;
  try {
    // Nothing new may come for long: an empty piece tells that the place was found.
    if (reached.accepted) sink.emit('output.delta', place.bytes, { text: '' });
    else accept(sink, live.row);
    reached.accepted = true;
    for (;;) {
      if (output !== live.output) {
        // Another attempt writes another text.
        if (place.bytes > 0) sink.emit('output.restarted', 0, {});
        output = live.output;
        place = { index: 0, bytes: 0 };
      }
      while (live.steps && told < live.steps.length) sink.emit('step.changed', place.bytes, live.steps[told++]);
      place = await sendText(engine, context, sink, output.text, place);
      reached.bytes = place.bytes;
      if (context.signal.aborted) throw readerLeft();
      // While a slow reader was waited for more may have come.
      if (place.index < output.text.length || output !== live.output || told < (live.steps?.length ?? 0)) continue;
      if (readers.ended) break;
      if (readers.closed) return undefined;
      await new Promise<void>((resolve) => {
        resume = resolve;
      });
    }
    const run = readers.ended;
    // The answer of a chain comes with its end, and so does one that something was taken out of.
    if ((live.steps || live.late) && run.output) place = await sendText(engine, context, sink, run.output, place);
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
