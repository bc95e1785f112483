/** One event as the WHATWG HTML standard (section 9.2) has it. */
export interface ServerSentEvent {
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
  /** The last id that the stream named, also by an earlier event. */
  readonly id: string;
}

export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Reads server-sent events from bytes, however they are cut. Leaving the loop early cancels the stream.
 * An event that the stream ends within is dropped, as the standard wants.
 */
export async function* readServerSentEvents(body: ByteStream): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  const parser = createEventParser();
  for await (const chunk of chunksOf(body)) yield* parser.push(decoder.decode(chunk, { stream: true }));
  yield* parser.push(decoder.decode());
}

/** Takes text in pieces and answers the events that each piece completes. */
export function createEventParser(): { push(text: string): ServerSentEvent[] } {
  // Pieces of the line that has not ended yet; joined once, so that a long line in small pieces stays linear.
  let pieces: string[] = [];
  let afterReturn = false;
  let event = '';
  let id = '';
  let data: string[] = [];

  const takeLine = (line: string, done: ServerSentEvent[]) => {
    if (line === '') {
      if (data.length > 0) done.push({ event: event || 'message', data: data.join('\n'), id });
      event = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  };

  return {
    push(text) {
      const done: ServerSentEvent[] = [];
      // A pair of carriage return and line feed is one line end, also when it was cut in two.
      let start = afterReturn && text.startsWith('\n') ? 1 : 0;
      if (text !== '') afterReturn = text.endsWith('\r');
      const lineEnd = /\r\n|\n|\r/g;
      lineEnd.lastIndex = start;
      for (let match = lineEnd.exec(text); match; match = lineEnd.exec(text)) {
        pieces.push(text.slice(start, match.index));
        takeLine(pieces.join(''), done);
        pieces = [];
        start = lineEnd.lastIndex;
      }
      if (start < text.length) pieces.push(text.slice(start));
      return done;
    },
  };
}

// Safari cannot iterate a ReadableStream, so it is read by hand where it can be.
/** The pieces of a body, however it gives them. Leaving the loop early cancels it. */
export async function* chunksOf(body: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  if (!('getReader' in body)) {
    yield* body;
    return;
  }
  const reader = body.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}
