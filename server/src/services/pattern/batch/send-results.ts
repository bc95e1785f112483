import type { batchOperations } from '@damask/contracts/batch-operations.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { BatchParts } from './batch-parts.ts';
import { type OpenTexts, readResults } from './read-results.ts';
import { resultHeader, toCsvLine, toJsonLine } from './result-line.ts';

// A multiple of three, so that the pieces have no padding within.
const bytesAtOnce = 48 * 1024;
/** Milliseconds after which what has come is sent, however little it is. */
const holdFor = 1_000;

/** Sends the results while they are read: neither process holds all of them. */
export async function sendResults(
  parts: BatchParts & { readonly openTexts: OpenTexts },
  context: CallContext,
  { batch, format = 'jsonl', after = 0, wait = false }: InputOf<(typeof batchOperations)['readBatchResults']>,
): Promise<Record<string, never>> {
  const { sink } = context;
  if (!sink) throw new AppError('invalid_request', 'Results are sent as a stream; call this operation over HTTP.');
  let waiting: Buffer[] = [];
  let size = 0;
  let sent = 0;
  let sentAt = parts.clock.monotonic();
  const flush = async () => {
    const bytes = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    sentAt = parts.clock.monotonic();
    for (let at = 0; at < bytes.length; at += bytesAtOnce) {
      const piece = bytes.subarray(at, at + bytesAtOnce);
      sent += piece.length;
      if (!sink.emit('bytes', sent, piece.toString('base64'))) await sink.drained();
    }
  };
  const add = (text: string) => {
    const bytes = Buffer.from(text);
    waiting.push(bytes);
    size += bytes.length;
  };
  // Who goes on after a line has the header already.
  if (format === 'csv' && after === 0) add(resultHeader);
  for await (const line of readResults(parts, context, batch, { after, wait })) {
    add(format === 'csv' ? toCsvLine(line) : toJsonLine(line));
    if (size >= bytesAtOnce || parts.clock.monotonic() - sentAt > holdFor) await flush();
    if (context.deadline <= parts.clock.now()) break;
  }
  await flush();
  return {};
}
