import type { IncomingMessage } from 'node:http';
import type { Operation } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { Upload } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { readUpload } from '#platform/read-upload.ts';

/** The body as an upload, where the operation takes one and the request does not send JSON. */
export function openUpload(request: IncomingMessage, { uploads }: Operation, clock: Clock): Upload | undefined {
  if (!uploads) return undefined;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/json') return undefined;
  if (!uploads.types.includes(type)) {
    throw new AppError(
      'unsupported_media_type',
      `Send JSON, or the bytes as they are with a content type of ${uploads.types.join(', ')}.`,
    );
  }
  if (request.headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'Compressed bodies are not accepted. Send the bytes as they are.');
  }
  return { type, bytes: readUpload(request, uploads.limit, clock) };
}
