import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import { exportTree } from './export-tree.ts';
import { writeTar, writeZip } from './write-archive.ts';

type ExportArchive = typeof transferOperations.exportArchive;

// A multiple of three, so that the pieces have no padding within.
const bytesAtOnce = 48 * 1024;
const filesAllowed = 65_535;

/** The files of `exportTree` as one archive, sent while they are read: neither process holds all of it. */
export async function exportArchive(
  parts: LibraryParts,
  context: CallContext,
  { format = 'zip', pattern }: InputOf<ExportArchive>,
): Promise<OutputOf<ExportArchive>> {
  const { sink, signal } = context;
  if (!sink) throw new AppError('invalid_request', 'An archive is sent as a stream; call this operation over HTTP.');
  const files = readFiles(parts, context, pattern);
  let sent = 0;
  for await (const bytes of format === 'zip' ? writeZip(files) : writeTar(files)) {
    for (let at = 0; at < bytes.length; at += bytesAtOnce) {
      if (signal.aborted) throw new AppError('unavailable', 'The caller left.');
      const piece = bytes.subarray(at, at + bytesAtOnce);
      sent += piece.length;
      if (!sink.emit('bytes', sent, piece.toString('base64'))) await sink.drained();
    }
  }
  return {};
}

async function* readFiles(
  parts: LibraryParts,
  context: CallContext,
  pattern: InputOf<ExportArchive>['pattern'],
): AsyncGenerator<PatternFile> {
  let cursor: string | undefined;
  let count = 0;
  do {
    const page = await exportTree(parts, context, {
      limit: 200,
      ...(pattern && { pattern }),
      ...(cursor !== undefined && { cursor }),
    });
    count += page.items.length;
    if (count > filesAllowed) {
      throw new AppError(
        'too_large',
        'An archive holds at most 65,535 files. Name patterns, or read /v1/exports by pages.',
      );
    }
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}
