import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { TestCertificate } from '../../server/src/platform/testing/test-certificate.ts';

const head = (...lines: string[]) => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;
const json = 'content-type: application/json';
const events = 'content-type: text/event-stream';
const piece = Buffer.alloc(64 * 1024, ' ');
const letters = Buffer.alloc(64 * 1024, 'x');

/** What a server may do to whoever asks it, U-7 of the list of attacks. Each ends when the other side has had enough. */
const misdeeds: Readonly<Record<string, (socket: Socket) => void>> = {
  'five gigabytes': (socket) => pour(socket, head(json, `content-length: ${5 * 1024 ** 3}`), piece),
  'a body without end': (socket) => pour(socket, head(json), piece),
  'a bomb of gzip': (socket) => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '));
    socket.end(
      Buffer.concat([Buffer.from(head(json, 'content-encoding: gzip', `content-length: ${bomb.length}`)), bomb]),
    );
  },
  'a header of a megabyte': (socket) => socket.end(head(`x: ${'x'.repeat(1024 * 1024)}`)),
  'headers without end': (socket) => pour(socket, 'HTTP/1.1 200 OK\r\n', Buffer.from('x: y\r\n'.repeat(10_000))),
  'a line without end': (socket) => pour(socket, `${head(events)}data: `, letters),
  'a flood of 1xx': (socket) => pour(socket, '', Buffer.from('HTTP/1.1 102 Processing\r\n\r\n'.repeat(2_000))),
  'bytes that are no UTF-8': (socket) =>
    socket.end(Buffer.concat([Buffer.from(head(json)), Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x7d])])),
  'a page instead of an answer': (socket) => socket.end(`${head('content-type: text/html')}<html>Sign in</html>`),
  'another protocol': (socket) => socket.end('220 mail.example.com ESMTP\r\n'),
  'a body that is cut off': (socket) => socket.end(`${head(json, 'content-length: 1000')}{"data":[`),
};

export interface HostileServer {
  /** Without a scheme. */
  readonly host: string;
  /** What it does from now on. */
  misdeed: string;
  readonly asked: number;
  close(): Promise<void>;
}

/** Reads the first line of a request, then does its misdeed; by TLS with a certificate. */
export async function startHostileServer(certificate?: TestCertificate): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const onSocket = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.once('data', () => {
      asked += 1;
      misdeeds[hostile.misdeed]?.(socket);
      socket.resume();
    });
  };
  const server: Server = certificate ? createTlsServer(certificate, onSocket) : createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hostile = {
    host: `${certificate ? 'localhost' : '127.0.0.1'}:${(server.address() as AddressInfo).port}`,
    misdeed: 'another protocol',
    get asked() {
      return asked;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return hostile;
}

/** Every misdeed in turn. Throws when one was not met. */
export async function eachMisdeed(server: HostileServer, meet: (misdeed: string) => Promise<void>): Promise<void> {
  for (const misdeed of Object.keys(misdeeds)) {
    const asked = server.asked;
    server.misdeed = misdeed;
    await meet(misdeed);
    if (server.asked === asked) throw new Error(`${misdeed} was not met`);
  }
}

/** As fast as the other side reads. */
function pour(socket: Socket, first: string, again: Buffer): void {
  socket.write(first);
  const more = () => {
    while (!socket.destroyed) if (!socket.write(again)) return;
  };
  socket.on('drain', more);
  more();
}
