import type { ServerResponse } from 'node:http';
import type { EventSink } from '#platform/call.ts';
import { drained } from '#platform/drained.ts';
import { commonHeaders } from './problem.ts';

/** Bytes that may wait for a slow reader before the source is told to pause. */
const highWater = 256 * 1024;

export interface EventStream extends EventSink {
  /** Sends what waits and ends the answer; false when there was no event, so that it can be another one. */
  end(): boolean;
}

const headers = Object.entries({
  ...commonHeaders,
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
}).flat();

/**
 * Writes server-sent events. The head goes out with the first event, so that an earlier error is a plain answer. Events
 * of one turn of the event loop go out in one write: each write costs as much as everything else on an event.
 */
export function createEventStream(response: ServerResponse, requestId: string): EventStream {
  let waiting = '';
  let begun = false;
  let framed = false;

  function begin() {
    begun = true;
    response.writeHead(200, [...headers, 'x-request-id', requestId]);
    // Node frames a chunk in four writes; done here it is one. Without chunks (HTTP/1.0) nothing is framed.
    framed = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  const frame = (text: string) => (framed ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text);

  function flush() {
    const text = waiting;
    waiting = '';
    if (text === '' || response.destroyed || response.writableEnded) return;
    if (!begun) begin();
    response.write(frame(text));
  }

  const isTaken = () => response.writableLength + waiting.length < highWater;
  return {
    emit(name, id, data) {
      if (response.destroyed) return true;
      if (waiting === '') inTheSameTurn(flush);
      waiting += `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
      return isTaken();
    },
    drained() {
      flush();
      return response.writableLength < highWater ? Promise.resolve() : drained(response);
    },
    end() {
      const text = waiting;
      waiting = '';
      if (!begun && text === '') return false;
      if (response.destroyed) return true;
      if (!begun) begin();
      response.end((text === '' ? '' : frame(text)) + (framed ? '0\r\n\r\n' : ''));
      return true;
    },
  };
}

let flushes: (() => void)[] = [];

/** One look for all streams, after what the network brought in this turn. */
function inTheSameTurn(flush: () => void) {
  if (flushes.push(flush) === 1) setImmediate(flushAll);
}

function flushAll() {
  const due = flushes;
  flushes = [];
  for (const flush of due) flush();
}
