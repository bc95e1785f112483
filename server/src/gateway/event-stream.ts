import type { ServerResponse } from 'node:http';
import type { EventSink } from '#platform/call.ts';
import { drained } from '#platform/drained.ts';
import { commonHeaders } from './problem.ts';

/** Bytes that may wait for a slow reader before the source is told to pause. */
const highWater = 256 * 1024;

/** Writes server-sent events. The head goes out with the first event, so that an earlier error is a plain answer. */
export function createEventStream(response: ServerResponse, requestId: string): EventSink {
  return {
    emit(name, id, data) {
      if (response.destroyed) return true;
      if (!response.headersSent) {
        response.socket?.setNoDelay(true);
        response.writeHead(200, {
          ...commonHeaders,
          'content-type': 'text/event-stream; charset=utf-8',
          'x-request-id': requestId,
          'x-accel-buffering': 'no',
        });
      }
      response.write(`event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
      return response.writableLength < highWater;
    },
    drained: () => (response.writableLength < highWater ? Promise.resolve() : drained(response)),
  };
}
