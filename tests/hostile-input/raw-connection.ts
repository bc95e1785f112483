import { connect, type Socket } from 'node:net';

export interface RawReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  readonly body: any;
}

export interface RawExchange {
  readonly replies: readonly RawReply[];
  /** The server closed the connection. */
  readonly closed: boolean;
  /** What came after the last whole answer. */
  readonly rest: string;
  readonly milliseconds: number;
}

/** A connection on which anything can be written, also what is no HTTP. */
export interface RawConnection {
  readonly socket: Socket;
  write(bytes: string | Uint8Array): void;
  /** Everything that was answered, when the server closes, `count` answers are there or `within` milliseconds are over. */
  read(options?: { count?: number; within?: number }): Promise<RawExchange>;
}

/** To a server on loopback. Text is sent as latin1, one byte for each character. */
export function openRawConnection(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const started = performance.now();
  let answered: Buffer = Buffer.alloc(0);
  let closed = false;
  let look = () => {};
  let noBodies = false;
  socket.on('data', (chunk: Buffer) => {
    answered = Buffer.concat([answered, chunk]);
    look();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    look();
  });
  return {
    socket,
    write(bytes) {
      if (typeof bytes === 'string' && bytes.startsWith('HEAD ')) noBodies = true;
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    },
    read: ({ count = Number.POSITIVE_INFINITY, within = 5_000 } = {}) =>
      new Promise((resolve) => {
        const finish = () => {
          clearTimeout(late);
          look = () => {};
          socket.destroy();
          resolve({ ...parseReplies(answered, noBodies), closed, milliseconds: performance.now() - started });
        };
        const late = setTimeout(finish, within);
        look = () => {
          if (closed || parseReplies(answered, noBodies).replies.length >= count) finish();
        };
        look();
      }),
  };
}

/** One request on a connection of its own. */
export function exchange(
  url: string,
  bytes: string | Uint8Array,
  options: { count?: number; within?: number } = {},
): Promise<RawExchange> {
  const connection = openRawConnection(url);
  connection.write(bytes);
  return connection.read(options);
}

/** `noBodies`: the answers are to HEAD. */
function parseReplies(bytes: Buffer, noBodies: boolean): { replies: RawReply[]; rest: string } {
  const replies: RawReply[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const [first = '', ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const status = Number(first.split(' ')[1]);
    const from = end + 4;
    const bodiless = status < 200 || status === 204 || noBodies;
    const length = bodiless ? 0 : Number(headers['content-length'] ?? 0);
    if (bytes.length < from + length) break;
    const text = bytes.subarray(from, from + length).toString();
    const json = headers['content-type']?.includes('json') && text !== '';
    replies.push({ status, headers, body: json ? JSON.parse(text) : text });
    at = from + length;
  }
  return { replies, rest: bytes.subarray(at).toString('latin1') };
}
