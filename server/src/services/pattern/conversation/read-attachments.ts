import { subtle } from 'node:crypto';
import type { Attachment } from '@damask/contracts/attachment.ts';
import { AppError } from '#platform/app-error.ts';
import { mediaTypeOf } from './attachment-kind.ts';

/** An attachment whose bytes are what they are said to be. */
export interface ReadAttachment {
  readonly type: Attachment['type'];
  readonly name: string;
  readonly media_type: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly sha256: string;
  /** Base64 of an image or PDF, the text itself of a text. */
  readonly data: string;
}

/** Checks attachments by their bytes. Nothing is decoded: an image may be as large inside as it likes. Errors: `invalid_request`. */
export async function readAttachments(attachments: readonly Attachment[]): Promise<ReadAttachment[]> {
  const read: ReadAttachment[] = [];
  for (const [index, attachment] of attachments.entries()) {
    read.push(await readAttachment(attachment, `/attachments/${index}`));
  }
  return read;
}

async function readAttachment(attachment: Attachment, pointer: string): Promise<ReadAttachment> {
  const { type, name, media_type: said, data, text } = attachment;
  if (type === 'text') {
    if (text === undefined || data !== undefined) {
      throw refuse(`${pointer}/text`, 'A text attachment has its text in "text", and no "data".');
    }
    if (said !== undefined && /^(image|audio|video)\/|^application\/(pdf|octet-stream)$/.test(said)) {
      throw refuse(
        `${pointer}/media_type`,
        `A text cannot be ${said}. Send it as image or pdf, with its bytes in "data".`,
      );
    }
    return { type, name, media_type: said ?? 'text/plain', data: text, ...(await measure(Buffer.from(text))) };
  }
  if (data === undefined || text !== undefined) {
    throw refuse(`${pointer}/data`, `An attachment of type ${type} has its bytes as base64 in "data", and no "text".`);
  }
  const bytes = Buffer.from(data, 'base64');
  if (!isPlainBase64(data, bytes)) {
    throw refuse(`${pointer}/data`, 'This is not base64 (RFC 4648, with padding, without line breaks).');
  }
  const media_type = mediaTypeOf(bytes);
  const fits = type === 'pdf' ? media_type === 'application/pdf' : media_type?.startsWith('image/');
  if (media_type === undefined || !fits) {
    const wanted = type === 'pdf' ? 'a PDF' : 'a PNG, JPEG, WebP or GIF image';
    throw refuse(`${pointer}/data`, `The bytes are not ${wanted}${media_type ? ` but ${media_type}` : ''}.`);
  }
  if (said !== undefined && said !== media_type) {
    throw refuse(`${pointer}/media_type`, `It says ${said}, but the bytes are ${media_type}. Leave media_type out.`);
  }
  return { type, name, media_type, data, ...(await measure(bytes)) };
}

/**
 * Base64 has several spellings of the same bytes, and Node reads over what is none. By length, because to encode megabytes
 * again would hold the event loop: what was read over is missing at the end.
 */
function isPlainBase64(data: string, bytes: Buffer): boolean {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  if (data.length % 4 !== 0 || bytes.length !== (data.length / 4) * 3 - padding) return false;
  const tail = bytes.subarray(bytes.length - (3 - padding)).toString('base64');
  return data.endsWith(tail) && !data.includes('-') && !data.includes('_');
}

// On another thread: megabytes would hold the event loop.
async function measure(bytes: Buffer<ArrayBuffer>): Promise<{ bytes: number; sha256: string }> {
  const digest = await subtle.digest('SHA-256', bytes);
  return { bytes: bytes.length, sha256: Buffer.from(digest).toString('hex') };
}

function refuse(pointer: string, message: string): AppError {
  return new AppError('invalid_request', message, { pointer });
}
