import type { Run } from '@damask/contracts/run.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import { readPieces, readReach } from './output-store.ts';
import { createPieceReader, type FollowedPlace } from './piece-reader.ts';
import { readRun } from './read-run.ts';
import { readerLeft } from './replay-text.ts';
import type { RunParts } from './run-parts.ts';
import { askOf } from './run-signals.ts';
import { readAccepted } from './store.ts';

/** Milliseconds between two looks while the run says something, and while it says nothing. */
const every = 200;
const everyWhileQuiet = 600;
const quietAfter = 10;
/** Milliseconds after which the process that executes the run is asked again to write down what it says. */
const askEvery = 5_000;
const mostFollowers = 256;
const mostOfWorkspace = 64;
const followers = new Map<string, number>();

/**
 * Follows a run that another process executes, or nobody yet, by what is written down of it. Answers its end, or undefined
 * once this process executes it. Errors: `overloaded`.
 */
export async function followElsewhere(
  parts: RunParts,
  context: CallContext,
  sink: EventSink,
  id: string,
  place: FollowedPlace,
): Promise<Run | undefined> {
  const { workspace } = context;
  const count = followers.get(workspace) ?? 0;
  const all = [...followers.values()].reduce((sum, one) => sum + one, 0);
  if (!place.caller && (all >= mostFollowers || count >= mostOfWorkspace)) {
    throw new AppError('overloaded', 'Too many runs are followed here. Read the run when it has ended.', {
      runId: id,
      retryAfterSeconds: 5,
    });
  }
  followers.set(workspace, count + 1);
  try {
    return await follow(parts, context, sink, id, place);
  } finally {
    const left = (followers.get(workspace) ?? 1) - 1;
    if (left > 0) followers.set(workspace, left);
    else followers.delete(workspace);
  }
}

async function follow(
  parts: RunParts,
  context: CallContext,
  sink: EventSink,
  id: string,
  place: FollowedPlace,
): Promise<Run | undefined> {
  const { database, engine, clock } = parts;
  const { workspace, signal, deadline } = context;
  const scope = { role: 'pattern', workspace };
  const reader = createPieceReader(parts, context, sink, place);
  const first = await readRun(parts, workspace, id);
  if (!place.accepted) {
    const { pattern, version, model } = first;
    sink.emit('run.accepted', 0, { id, pattern, version, model });
    place.accepted = true;
  }
  let over = first.finished_at !== null;
  let asked = Number.NEGATIVE_INFINITY;
  for (let quiet = 0; !over; ) {
    if (signal.aborted) throw readerLeft();
    if (engine.live.find(workspace, id)) return undefined;
    if (clock.now() > deadline) {
      throw new AppError('timeout', 'The run goes on. Follow it again from here.', { runId: id });
    }
    reader.confirm();
    const { from } = reader;
    const seen = await database.transaction(scope, async (transaction) => {
      const reach = await readReach(transaction, id);
      return { ...reach, pieces: reach.bytes > from ? await readPieces(transaction, id, from) : [] };
    });
    await reader.send(seen.pieces);
    over = seen.ended;
    // A text that another attempt writes may be shorter than what came of the one before.
    if (seen.bytes > 0 && seen.bytes < from && quiet % 5 === 0) {
      await reader.send(await database.transaction(scope, (transaction) => readPieces(transaction, id, -1)));
    }
    if (!seen.queued && !over && clock.monotonic() - asked > askEvery) {
      asked = clock.monotonic();
      await askToPublish(parts, workspace, id);
    }
    quiet = seen.pieces.length > 0 ? 0 : quiet + 1;
    if (!over) await clock.sleep(quiet < quietAfter ? every : everyWhileQuiet);
  }
  const run = await readRun(parts, workspace, id);
  await reader.finish(run);
  sink.emit(`run.${run.status}`, place.bytes, run);
  return run;
}

async function askToPublish({ database }: RunParts, workspace: string, run: string): Promise<void> {
  await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const row = await readAccepted(transaction, run);
    if (!row) throw notFound();
    await askOf(transaction, { workspace, run, kind: 'publish', process: row.process });
  });
}
