import type { Socket } from 'node:net';
import type pg from 'pg';

/** What the driver hands a statement of COPY. */
interface Connection {
  readonly stream: Socket;
  query(text: string): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

const blockBytes = 1024 * 1024;
const mostBlocks = 4;

// The driver calls all of these on whatever statement is active.
const unused = {
  handleRowDescription() {},
  handleDataRow() {},
  handlePortalSuspended() {},
  handleEmptyQuery() {},
  handleCommandComplete() {},
  handleCopyInResponse() {},
  handleCopyData() {},
};

/** Runs `copy ... to stdout` and answers its text in blocks of 1 MiB. Holds at most a few; leaving early ends the connection. */
export async function* copyOut(client: pg.Client, text: string): AsyncGenerator<Buffer> {
  const blocks: Buffer[] = [];
  let block = Buffer.allocUnsafe(blockBytes);
  let used = 0;
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  let socket: Socket | undefined;
  const statement = {
    ...unused,
    submit(connection: Connection) {
      socket = connection.stream;
      connection.query(text);
      return null;
    },
    // The driver's buffer is used again for what comes next, so the bytes are taken out at once.
    handleCopyData({ chunk }: { chunk: Buffer }) {
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.copy(block, used, at);
        at += taken;
        used += taken;
        if (used < blockBytes) continue;
        blocks.push(block);
        block = Buffer.allocUnsafe(blockBytes);
        used = 0;
      }
      if (blocks.length >= mostBlocks) socket?.pause();
      if (blocks.length > 0) wake();
    },
    handleError(error: unknown) {
      failure = error;
      ended = true;
      wake();
    },
    handleReadyForQuery() {
      ended = true;
      wake();
    },
  };
  client.query(statement as unknown as pg.Submittable);
  let finished = false;
  try {
    for (;;) {
      const next = blocks.shift();
      if (next) {
        if (blocks.length < mostBlocks) socket?.resume();
        yield next;
      } else if (ended) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    finished = true;
  } finally {
    if (!finished) socket?.destroy();
  }
  if (failure) throw failure;
  if (used > 0) yield block.subarray(0, used);
}

/** Runs `copy ... from stdin` with these bytes. What breaks the source ends the statement as failed, and is thrown. */
export async function copyIn(client: pg.Client, text: string, source: AsyncIterable<Buffer>): Promise<void> {
  let stopped = false;
  let broken: { readonly error: unknown } | undefined;
  const pump = async (connection: Connection) => {
    const { stream } = connection;
    try {
      for await (const chunk of source) {
        if (stopped) return;
        const head = Buffer.allocUnsafe(5);
        head.write('d');
        head.writeUInt32BE(chunk.length + 4, 1);
        stream.write(head);
        if (!stream.write(chunk)) await writable(stream);
      }
      if (!stopped) connection.endCopyFrom();
    } catch (error) {
      broken = { error };
      if (!stopped) connection.sendCopyFail('The source of the rows failed');
    }
  };
  let pumping: Promise<void> | undefined;
  let failure: unknown;
  await new Promise<void>((resolve) => {
    const statement = {
      ...unused,
      submit(connection: Connection) {
        connection.query(text);
        return null;
      },
      handleCopyInResponse(connection: Connection) {
        pumping = pump(connection);
      },
      handleError(error: unknown) {
        failure = error;
        stopped = true;
        resolve();
      },
      handleReadyForQuery() {
        resolve();
      },
    };
    client.query(statement as unknown as pg.Submittable);
  });
  stopped = true;
  await pumping;
  if (broken) throw broken.error;
  if (failure) throw failure;
}

function writable(stream: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}
