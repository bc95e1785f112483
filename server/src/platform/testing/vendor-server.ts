import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface VendorCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what was sent as it is.
  readonly body: any;
  /** The body as it came. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

export type VendorScript = (call: VendorCall, response: ServerResponse) => void | Promise<void>;

export interface VendorServer {
  readonly origin: string;
  readonly calls: readonly VendorCall[];
  /** Answers that the client did not wait for. */
  readonly abandoned: number;
  close(): Promise<void>;
}

/** A server on loopback that notes what it is sent and does what a script says, of whatever protocol. */
export async function startVendorServer(script: VendorScript): Promise<VendorServer> {
  const calls: VendorCall[] = [];
  let abandoned = 0;
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) abandoned += 1;
    });
    void readCall(request, calls.length + 1).then(async (call) => {
      calls.push(call);
      await script(call, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    calls,
    get abandoned() {
      return abandoned;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readCall(request: IncomingMessage, number: number): Promise<VendorCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return { path: request.url ?? '', headers: request.headers, body: JSON.parse(text || '{}'), text, number };
}
