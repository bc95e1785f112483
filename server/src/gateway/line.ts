import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What a connection waits for. */
export interface Line {
  unanswered: number;
  request: IncomingMessage;
  response: ServerResponse;
}

export function note(lines: WeakMap<Socket, Line>, request: IncomingMessage, response: ServerResponse) {
  let line = lines.get(request.socket);
  if (line === undefined) {
    line = { unanswered: 0, request, response };
    lines.set(request.socket, line);
  }
  line.unanswered += 1;
  line.request = request;
  line.response = response;
  const noted = line;
  response.once('close', () => {
    noted.unanswered -= 1;
  });
}

/** Whether an answer to broken bytes would be taken for the answer to the request before them. */
export function isBusy(line: Line | undefined): boolean {
  if (!line || line.unanswered === 0) return false;
  return line.unanswered > 1 || line.request.complete || line.response.headersSent;
}
