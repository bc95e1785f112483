import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import type { Vault } from '#platform/vault.ts';
import type { EngineParts } from './engine.ts';
import { pieceAt } from './output-publisher.ts';
import type { OutputPiece, StoredPiece } from './output-store.ts';
import { placeAt, sendText } from './replay-text.ts';

/** How far a reader is who may come back anywhere. */
export interface FollowedPlace {
  /** Bytes of the output that it has. */
  bytes: number;
  /** Whether it was told of the acceptance. */
  accepted: boolean;
  /** The caller of the run itself: it is not refused where others follow too many. */
  readonly caller?: true;
}

/** Passes on what is written down of a run's output, once and in order. */
export interface PieceReader {
  /** From here on pieces are wanted: bytes of the output. */
  readonly from: number;
  /** The place of a reader that comes back may be told to be found. */
  confirm(): void;
  send(pieces: readonly StoredPiece[]): Promise<void>;
  /** Sends what is left of the whole text. */
  finish(run: Run): Promise<void>;
}

export function createPieceReader(
  parts: { readonly vault: Vault; readonly engine: EngineParts },
  context: CallContext,
  sink: EventSink,
  place: FollowedPlace,
): PieceReader {
  const { vault, engine } = parts;
  const resumed = place.bytes > 0;
  let confirmed = !place.accepted;
  /** Another attempt writes another text. */
  let reading: Pick<OutputPiece, 'token' | 'attempt'> | undefined;
  let began = place.bytes;
  let sent = '';

  const restart = () => {
    sink.emit('output.restarted', 0, {});
    place.bytes = 0;
    began = 0;
    sent = '';
  };
  const confirm = () => {
    if (!confirmed) sink.emit('output.delta', place.bytes, { text: '' });
    confirmed = true;
  };
  return {
    get from() {
      return confirmed ? place.bytes : place.bytes - 1;
    },
    confirm() {
      if (!resumed) confirm();
    },
    async send(pieces) {
      const [first] = pieces;
      if (!first) return;
      const other = reading !== undefined && (reading.token !== first.token || reading.attempt !== first.attempt);
      // Where several texts were written, nobody knows which of them a reader who comes back has read.
      if (other || (reading === undefined && resumed && first.others)) restart();
      reading = first;
      for (const piece of pieces) {
        if (piece.start > place.bytes) return;
        // Who read along in another process may be ahead of what is written down.
        if (piece.start + piece.bytes < place.bytes) continue;
        const text = (await vault.open(piece.workspace, pieceAt(piece), piece.piece)).toString('utf8');
        const within = placeAt(text, place.bytes - piece.start);
        if (!within) throw noSuchPlace();
        confirm();
        const rest = text.slice(within.index);
        sent += rest;
        place.bytes = (await sendText(engine, context, sink, rest, { index: 0, bytes: place.bytes })).bytes;
      }
    },
    async finish({ output }) {
      // Of a run whose texts are gone, or of which nothing came back, only the end is left to tell.
      if (!output) return;
      const begin = placeAt(output, began);
      if (sent !== '' && (!begin || !output.startsWith(sent, begin.index))) restart();
      const at = placeAt(output, place.bytes);
      if (!at) throw noSuchPlace();
      place.bytes = (await sendText(engine, context, sink, output, at)).bytes;
    },
  };
}

export function noSuchPlace(): AppError {
  return new AppError(
    'invalid_request',
    'The output has no such place. Give the id of the last event that came, or leave it out to read from the start.',
    { pointer: '/after' },
  );
}
