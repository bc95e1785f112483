import { AppError } from '#platform/app-error.ts';
import type { CallContext, EventSink } from '#platform/call.ts';
import type { EngineParts } from './engine.ts';

/** Characters of one event. */
export const pieceLength = 16 * 1024;

/** Where a reader stands in a text. */
export interface TextPlace {
  readonly index: number;
  readonly bytes: number;
}

/** The place after `bytes` bytes of UTF-8; undefined when the text is shorter or a character lies across it. */
export function placeAt(text: string, bytes: number): TextPlace | undefined {
  // Three bytes a character at most: what is longer cannot lie in it, and no buffer is made for it.
  if (bytes > text.length * 3) return undefined;
  const { read, written } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return written === bytes ? { index: read, bytes } : undefined;
}

/**
 * Sends what of `text` lies behind `from`, as fast as its reader takes it. Answers where it ends. Errors: `slow_consumer`;
 * the signal's reason when the reader leaves.
 */
export async function sendText(
  parts: Pick<EngineParts, 'clock' | 'readerWithin'>,
  { signal }: Pick<CallContext, 'signal'>,
  sink: EventSink,
  text: string,
  from: TextPlace,
): Promise<TextPlace> {
  let { index, bytes } = from;
  while (index < text.length) {
    const end = endOfPiece(text, index + pieceLength);
    const piece = text.slice(index, end);
    index = end;
    bytes += Buffer.byteLength(piece);
    if (!sink.emit('output.delta', bytes, { text: piece })) await waitForReader(parts, sink);
    if (signal.aborted) throw readerLeft();
  }
  return { index, bytes };
}

/** Sends a whole text. Answers its bytes. */
export async function replayText(
  parts: Pick<EngineParts, 'clock' | 'readerWithin'>,
  context: Pick<CallContext, 'signal'>,
  sink: EventSink,
  text: string,
): Promise<number> {
  return (await sendText(parts, context, sink, text, { index: 0, bytes: 0 })).bytes;
}

/** No piece ends within a surrogate pair. */
export function endOfPiece(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

async function waitForReader({ clock, readerWithin }: Pick<EngineParts, 'clock' | 'readerWithin'>, sink: EventSink) {
  let late = false;
  let giveUp: () => void = () => undefined;
  const timer = clock.after(readerWithin, () => {
    late = true;
    giveUp();
  });
  await Promise.race([
    sink.drained(),
    new Promise<void>((resolve) => {
      giveUp = resolve;
    }),
  ]);
  timer.cancel();
  if (late) throw new AppError('slow_consumer', 'The client took nothing for too long. Read the stream faster.');
}

/** Nobody is there any more to be told. */
export function readerLeft(): AppError {
  return new AppError('unavailable', 'The caller left.');
}
