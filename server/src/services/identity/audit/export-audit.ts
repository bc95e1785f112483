import type { auditOperations } from '@damask/contracts/audit.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { AuditParts } from './audit-parts.ts';
import { toEntry } from './chain-entry.ts';
import * as store from './chain-store.ts';
import { entryHeader, toCsvLine } from './entry-line.ts';
import { requireWholeLog } from './require-whole-log.ts';

const entriesAtOnce = 200;
// A multiple of three, so that the pieces have no padding within.
const bytesAtOnce = 48 * 1024;

/** Sends the part of the chain that holds the period, without gaps, while it is read. */
export async function exportAudit(
  { database, clock }: AuditParts,
  context: CallContext,
  { format = 'jsonl', since, until }: InputOf<(typeof auditOperations)['exportAudit']>,
): Promise<Record<string, never>> {
  const { sink, workspace } = context;
  if (!sink) throw new AppError('invalid_request', 'An export is sent as a stream; call this operation over HTTP.');
  requireWholeLog(context);
  const scope = { role: 'identity', workspace };
  const period = await database.transaction(scope, (transaction) =>
    store.findPeriod(transaction, since ?? null, until ?? null),
  );
  let sent = 0;
  let waiting = Buffer.from(format === 'csv' ? entryHeader : '');
  const flush = async (least: number) => {
    while (waiting.length >= least && waiting.length > 0) {
      const piece = waiting.subarray(0, bytesAtOnce);
      waiting = waiting.subarray(piece.length);
      sent += piece.length;
      if (!sink.emit('bytes', sent, piece.toString('base64'))) await sink.drained();
    }
  };
  const { first, last } = period ?? { first: 1, last: 0 };
  for (let after = first - 1; after < last; ) {
    if (context.signal.aborted) return {};
    // What broke off must not look like the whole: the connection is closed without an end.
    if (context.deadline <= clock.now())
      throw new AppError('timeout', 'The export took too long. Ask for a shorter period.');
    const page = await database.transaction(scope, (transaction) =>
      store.readEntries(transaction, { after, last, limit: entriesAtOnce }),
    );
    if (page.length === 0) break;
    const text = page.map(toEntry).map((entry) => (format === 'csv' ? toCsvLine(entry) : `${JSON.stringify(entry)}\n`));
    waiting = Buffer.concat([waiting, Buffer.from(text.join(''))]);
    await flush(bytesAtOnce);
    after = page.at(-1)?.seq ?? last;
  }
  await flush(1);
  return {};
}
