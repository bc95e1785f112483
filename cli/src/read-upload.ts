import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { formatBytes } from './figures.ts';
import { InputError } from './input-error.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export type LineFormat = 'csv' | 'jsonl';

export interface LineSource {
  readonly format: LineFormat;
  /** The bytes, read as they are sent. Shows on a terminal how much has gone. */
  bytes(terminal: Terminal): AsyncIterable<Uint8Array>;
}

/** Where the lines come from: a file, or `-` for the standard input. The ending tells the format, or `given` does. */
export function openLines(path: string, given: string | undefined, terminal: Terminal): LineSource {
  if (given !== undefined && given !== 'csv' && given !== 'jsonl') {
    throw new UsageError(`--format takes csv or jsonl, not '${given}'.`);
  }
  if (path === '-') {
    if (terminal.stdinIsTerminal)
      throw new UsageError('Nothing comes on the standard input. Name a file, or pipe one in.');
    if (given === undefined) throw new UsageError('Say what comes on the standard input: --format csv or jsonl.');
    return { format: given, bytes: () => process.stdin };
  }
  const size = sizeOf(path);
  const format = given ?? (/\.csv$/i.test(path) ? 'csv' : /\.(?:jsonl|ndjson)$/i.test(path) ? 'jsonl' : undefined);
  return {
    format: format ?? guess(path),
    async *bytes(shown) {
      let sent = 0;
      for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) {
        yield piece as Uint8Array;
        sent += (piece as Uint8Array).length;
        shown.status(`sending ${formatBytes(sent)} of ${formatBytes(size)}`);
      }
      shown.status('the last lines are being checked ...');
    },
  };
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new InputError(`There is no file ${path}.`, 'notFound');
  if (found.isDirectory()) throw new InputError(`${path} is a folder. Name a file of CSV or JSONL.`);
  return found.size;
}

/** A line of JSONL begins with a brace, a header of CSV never does. */
function guess(path: string): LineFormat {
  const start = Buffer.alloc(64);
  const file = openSync(path, 'r');
  try {
    const count = readSync(file, start);
    return start.toString('utf8', 0, count).trimStart().startsWith('{') ? 'jsonl' : 'csv';
  } finally {
    closeSync(file);
  }
}
