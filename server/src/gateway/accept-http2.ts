import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, Http2ServerRequest, Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { isUpload } from '#platform/read-upload.ts';
import { sendProblem } from './problem.ts';

export interface Http2Options {
  readonly clock: Clock;
  readonly take: (request: IncomingMessage, response: ServerResponse) => void;
  readonly refuse: (request: IncomingMessage, response: ServerResponse, detail: string) => void;
  readonly maxHeaderSize: number;
  /** Milliseconds for a whole request to arrive, and without any request. */
  readonly patience: { readonly request: number; readonly idle: number };
}

export interface Http2 {
  /** Speaks HTTP/2 on a connection that agreed to it. */
  accept(socket: Socket): void;
  /** Asks all clients to begin nothing new. */
  close(): void;
  destroy(): void;
}

const streamsAtOnce = 250;

/** Node's own lacks what those of HTTP/1.1 have, and the edge looks at. */
class Request extends Http2ServerRequest {
  get headersDistinct(): NodeJS.Dict<string[]> {
    const distinct: NodeJS.Dict<string[]> = Object.create(null);
    for (let at = 0; at + 1 < this.rawHeaders.length; at += 2) {
      const name = (this.rawHeaders[at] as string).toLowerCase();
      distinct[name] = [...(distinct[name] ?? []), this.rawHeaders[at + 1] as string];
    }
    return distinct;
  }
}

class Response extends Http2ServerResponse<Request> {}
Object.defineProperties(Response.prototype, {
  destroyed: {
    get(this: Response) {
      return this.stream?.destroyed ?? true;
    },
  },
  // Node says that what its client has cancelled is finished; then nobody would stop the run behind it.
  writableFinished: {
    get(this: Response) {
      return this.writableEnded && this.stream?.writableFinished === true;
    },
  },
});

/** HTTP/2 beside HTTP/1.1, through the same dispatcher. Bounds what node bounds for HTTP/1.1 only: time, and headers. */
export function createHttp2(options: Http2Options): Http2 {
  const { clock, patience } = options;
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({
    Http2ServerRequest: Request,
    Http2ServerResponse: Response,
    // Each refused or broken stream costs its client one of these; then the connection ends (rapid reset).
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    streamResetBurst: 400,
    streamResetRate: 40,
    settings: {
      enablePush: false,
      maxConcurrentStreams: streamsAtOnce, // Beyond this node breaks the stream off without a word.
      maxHeaderListSize: 2 * options.maxHeaderSize,
    },
  });
  const asOne = (take: Http2Options['take']) => (request: Request, response: Response) => {
    request.on('error', () => undefined);
    giveUpLate(request, response);
    take(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  };

  function giveUpLate(request: Request, response: Response) {
    if (request.stream.endAfterHeaders) return;
    const late = clock.after(patience.request, () => {
      const message = request as unknown as IncomingMessage;
      if (request.complete || isUpload(message)) return;
      const failure = new AppError('request_timeout', 'The request did not arrive in time. Send it faster.');
      sendProblem(response as unknown as ServerResponse, failure, clock.uuid());
      request.stream.close();
    });
    request.once('end', () => late.cancel());
    request.once('close', () => late.cancel());
  }

  server.on('request', (request, response) => {
    if (headerSize(request.rawHeaders) > options.maxHeaderSize) {
      const failure = new AppError('headers_too_large', 'The headers may have at most 16 KiB together. Send less.');
      sendProblem(response as unknown as ServerResponse, failure, clock.uuid());
      request.resume();
      return;
    }
    asOne(options.take)(request, response);
  });
  server.on('checkContinue', (request, response) => {
    request.once('resume', () => {
      if (!response.headersSent) response.writeContinue();
    });
    asOne(options.take)(request, response);
  });
  server.on('checkExpectation', (request, response) =>
    asOne((one, other) => options.refuse(one, other, 'Only 100-continue can be expected.'))(request, response),
  );
  server.on('connect', (request: Request, response: Response) =>
    asOne((one, other) => options.refuse(one, other, 'This is not a proxy; it does not connect.'))(request, response),
  );
  server.on('sessionError', () => undefined);
  server.on('session', (session) => {
    let open = 0;
    let idle = clock.after(patience.idle, () => session.destroy());
    sessions.add(session);
    session.once('close', () => {
      sessions.delete(session);
      idle.cancel();
    });
    session.on('stream', (stream) => {
      open += 1;
      idle.cancel();
      stream.once('close', () => {
        open -= 1;
        if (open === 0 && !session.destroyed) idle = clock.after(patience.idle, () => session.close());
      });
    });
  });
  return {
    accept: (socket) => void server.emit('connection', socket),
    close() {
      for (const session of sessions) session.close();
    },
    destroy() {
      for (const session of sessions) session.destroy();
    },
  };
}

function headerSize(rawHeaders: readonly string[]): number {
  let size = 0;
  for (const text of rawHeaders) size += text.length + 16;
  return size;
}
