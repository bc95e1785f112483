import type { Run } from '@damask/contracts/run.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import type { Vault } from '#platform/vault.ts';
import { pieceAt } from './output-publisher.ts';
import { type OutputPiece, readPieces, type StoredPiece } from './output-store.ts';
import { readRun } from './read-run.ts';
import { placeAt, readerLeft, sendText } from './replay-text.ts';
import type { RunParts } from './run-parts.ts';
import { askOf } from './run-signals.ts';
import { readAccepted } from './store.ts';

/** How far a reader is who may come back anywhere. */
export interface FollowedPlace {
  /** Bytes of the output that it has. */
  bytes: number;
  /** Whether it was told of the acceptance. */
  accepted: boolean;
}

const every = 200;
/** Milliseconds after which the process that executes the run is asked again to write down what it says. */
const askEvery = 5_000;
const mostFollowers = 256;
let followers = 0;

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
  if (followers >= mostFollowers) {
    throw new AppError(
      'overloaded',
      'Too many runs of other processes are followed here. Read the run when it has ended.',
      {
        retryAfterSeconds: 5,
      },
    );
  }
  followers += 1;
  try {
    return await follow(parts, context, sink, id, place);
  } finally {
    followers -= 1;
  }
}

/** Which text a reader reads: another attempt writes another one. */
type TextName = Pick<OutputPiece, 'token' | 'attempt'>;

async function follow(
  parts: RunParts,
  context: CallContext,
  sink: EventSink,
  id: string,
  place: FollowedPlace,
): Promise<Run | undefined> {
  const { database, engine, clock } = parts;
  const scope = { role: 'pattern', workspace: context.workspace };
  /** A reader that comes back knows its place; whether it is one is not known before there is a text. */
  let confirmed = !place.accepted;
  const resumed = place.bytes > 0;
  let reading: TextName | undefined;
  let sent = '';
  let began = place.bytes;
  let asked = Number.NEGATIVE_INFINITY;

  const restart = () => {
    sink.emit('output.restarted', 0, {});
    place.bytes = 0;
    began = 0;
    sent = '';
  };

  for (;;) {
    if (context.signal.aborted) throw readerLeft();
    if (clock.now() > context.deadline)
      throw new AppError('timeout', 'The run goes on. Follow it again from here.', { runId: id });
    if (engine.live.find(context.workspace, id)) return undefined;
    const run = await readRun(parts, context.workspace, id);
    if (!place.accepted) {
      const { pattern, version, model } = run;
      sink.emit('run.accepted', 0, { id, pattern, version, model });
      place.accepted = true;
    }
    if (run.finished_at !== null) return end(run);
    if (run.queue === undefined && clock.monotonic() - asked > askEvery) {
      asked = clock.monotonic();
      await database.transaction(scope, async (transaction) => {
        const row = await readAccepted(transaction, id);
        if (!row) throw notFound();
        await askOf(transaction, { workspace: context.workspace, run: id, kind: 'publish', process: row.process });
      });
    }
    if (!resumed) confirm();
    const from = confirmed ? place.bytes : place.bytes - 1;
    await sendPieces(await database.transaction(scope, (transaction) => readPieces(transaction, id, from)));
    await clock.sleep(run.status === 'running' ? every : every * 3);
  }

  function confirm() {
    if (!confirmed) sink.emit('output.delta', place.bytes, { text: '' });
    confirmed = true;
  }

  async function sendPieces(pieces: readonly StoredPiece[]): Promise<void> {
    const [first] = pieces;
    if (!first) return;
    const other = reading !== undefined && (reading.token !== first.token || reading.attempt !== first.attempt);
    // Where several texts were written, nobody knows which of them a reader who comes back has read.
    if (other || (reading === undefined && resumed && first.others)) restart();
    reading = first;
    for (const piece of pieces) {
      if (piece.start > place.bytes) return;
      const text = (await openPiece(parts.vault, piece)).toString('utf8');
      const within = placeAt(text, place.bytes - piece.start);
      if (!within) throw noSuchPlace();
      confirm();
      const rest = text.slice(within.index);
      sent += rest;
      const reached = await sendText(engine, context, sink, rest, { index: 0, bytes: place.bytes });
      place.bytes = reached.bytes;
    }
  }

  async function end(run: Run): Promise<Run> {
    const output = run.output ?? '';
    // Of a run whose texts are gone, or of which nothing came back, only the end is left to tell.
    if (output !== '') {
      const begin = placeAt(output, began);
      if (sent !== '' && (!begin || !output.startsWith(sent, begin.index))) restart();
      const at = placeAt(output, place.bytes);
      if (!at) throw noSuchPlace();
      place.bytes = (await sendText(engine, context, sink, output, at)).bytes;
    }
    sink.emit(`run.${run.status}`, place.bytes, run);
    return run;
  }
}

function openPiece(vault: Vault, piece: OutputPiece): Promise<Buffer> {
  return vault.open(piece.workspace, pieceAt(piece), piece.piece);
}

export function noSuchPlace(): AppError {
  return new AppError(
    'invalid_request',
    'The output has no such place. Give the id of the last event that came, or leave it out to read from the start.',
    { pointer: '/after' },
  );
}
