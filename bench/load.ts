import { connect, type Socket } from 'node:net';
import { quantile } from './figures.ts';

// Sends one request over and over. Plain sockets: a client library would cost more than what is measured.

/** A message to this program. */
export interface Load {
  readonly port: number;
  readonly path: string;
  readonly authorization: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly seconds: number;
  /** Closed loop: so many connections, each asks again as soon as it is answered. */
  readonly connections: number;
  /** Open loop: so many requests a second, whether or not the others are answered. */
  readonly rate?: number;
  /** The first output has come when the answer holds this. */
  readonly mark: string;
}

/** Its answer. Times in milliseconds. */
export interface LoadResult {
  readonly answered: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** Until the first output. */
  readonly first50: number;
  readonly first99: number;
}

interface Connection {
  readonly socket: Socket;
  started: number;
  first: number;
  text: string;
}

process.on('message', (load: Load) => void perform(load).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit());
process.send?.({});

function perform(load: Load): Promise<LoadResult> {
  const request = requestOf(load);
  const times: number[] = [];
  const firsts: number[] = [];
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  let errors = 0;
  let ended = false;
  const begun = performance.now();
  const until = begun + load.seconds * 1000;

  function send(connection: Connection) {
    connection.started = performance.now();
    connection.first = 0;
    connection.text = '';
    connection.socket.write(request);
  }

  function take(connection: Connection, chunk: Buffer) {
    connection.text += chunk.toString('latin1');
    const now = performance.now();
    if (connection.first === 0 && connection.text.includes(load.mark)) connection.first = now;
    if (ended || !isComplete(connection.text)) return;
    if (/^HTTP\/1\.1 20[02] /.test(connection.text) && connection.first > 0) {
      times.push(now - connection.started);
      firsts.push(connection.first - connection.started);
    } else {
      errors += 1;
    }
    if (load.rate === undefined && now < until) send(connection);
    else idle.push(connection);
  }

  function open(): Connection {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    const connection: Connection = { socket, started: 0, first: 0, text: '' };
    socket.on('data', (chunk) => take(connection, chunk));
    socket.on('error', () => {
      errors += 1;
    });
    all.add(connection);
    return connection;
  }

  function offer(sent: number) {
    const due = Math.floor(((performance.now() - begun) / 1000) * (load.rate as number));
    for (let i = sent; i < due; i++) send(idle.pop() ?? open());
    if (performance.now() < until) setTimeout(offer, 1, Math.max(sent, due));
  }

  for (let i = 0; i < load.connections; i++) {
    const connection = open();
    if (load.rate === undefined) send(connection);
    else idle.push(connection);
  }
  if (load.rate !== undefined) offer(0);
  return new Promise((resolve) => {
    setTimeout(() => {
      const seconds = (performance.now() - begun) / 1000;
      // Whatever is under way comes to its end first: a client that leaves would cancel runs.
      setTimeout(() => {
        ended = true;
        for (const { socket } of all) socket.destroy();
        const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
        const [first50, first99] = [quantile(firsts, 0.5), quantile(firsts, 0.99)];
        resolve({ answered: times.length, errors, seconds, p50, p99, first50, first99 });
      }, 300);
    }, load.seconds * 1000);
  });
}

function requestOf({ path, authorization, headers, body }: Load): Buffer {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n${more.join('')}` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** The answers are ours: all ASCII, with a length or in chunks. */
function isComplete(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  if (text.endsWith('\r\n0\r\n\r\n')) return true;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, head))?.[1];
  return length !== undefined && text.length >= head + 4 + Number(length);
}
