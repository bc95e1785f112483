import type { ServerResponse } from 'node:http';
import type { Operation } from '@damask/contracts/operation.ts';
import { drained } from '#platform/drained.ts';
import type { EventStream } from './event-stream.ts';
import { commonHeaders } from './problem.ts';

/** Bytes that may wait for a slow reader before the source is told to pause. */
const highWater = 256 * 1024;

/** What an answer of bytes is, and how a file of it is called. Input that names no format of the operation is refused later. */
export function typeOfAnswer({ answerTypes = {}, path }: Operation, { format }: Record<string, unknown>) {
  const types = Object.entries(answerTypes);
  const [extension, type] = types.find(([name]) => name === format) ?? types[0] ?? ['bin', 'application/octet-stream'];
  return { type, name: `damask${path.replace(/^\/v1|\/archive$/g, '').replaceAll('/', '-')}.${extension}` };
}

/**
 * Writes an answer of bytes. They come as events whose data is base64, so that they travel between processes as events do. The head
 * goes out with the first of them: an earlier error is a plain answer, a later one breaks the connection off.
 */
export function createByteStream(
  response: ServerResponse,
  requestId: string,
  { type, name }: { readonly type: string; readonly name: string },
): EventStream {
  const begin = () => {
    if (response.headersSent) return;
    response.writeHead(200, {
      ...commonHeaders,
      'content-type': type,
      'content-disposition': `attachment; filename="${name}"`,
      'x-request-id': requestId,
    });
  };
  return {
    emit(_, __, data) {
      if (response.destroyed) return true;
      begin();
      response.write(Buffer.from(String(data), 'base64'));
      return response.writableLength < highWater;
    },
    drained: () => (response.writableLength < highWater ? Promise.resolve() : drained(response)),
    end() {
      if (response.destroyed) return true;
      begin();
      response.end();
      return true;
    },
  };
}
