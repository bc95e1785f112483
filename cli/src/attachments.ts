import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Attachment } from '@damask/sdk';
import { InputError } from './input-error.ts';

export type AttachmentInput = Attachment;

const largest = 64 * 1024 * 1024;

/** Reads the files of -a. What a file is, its first bytes say, and not its name. Throws InputError. */
export function readAttachments(paths: readonly string[]): Attachment[] {
  return paths.map(readAttachment);
}

function readAttachment(path: string): Attachment {
  if (/^https?:\/\//.test(path)) {
    throw new InputError(`${path} is an address; -a takes a file. Fetch it first: curl -LO ${path}`);
  }
  const bytes = readBytes(path);
  const name = nameOf(path);
  const type = imageType(bytes);
  if (type) return { type: 'image', name, media_type: type, data: bytes.toString('base64') };
  if (bytes.subarray(0, 1024).includes('%PDF-')) {
    return { type: 'pdf', name, media_type: 'application/pdf', data: bytes.toString('base64') };
  }
  if (process.getBuiltinModule('node:buffer').isUtf8(bytes) && !bytes.includes(0)) {
    if (bytes.length === 0) throw new InputError(`${path} is empty. Attach a file that says something.`);
    return { type: 'text', name, text: bytes.toString('utf8') };
  }
  throw new InputError(
    `${path} is neither a PNG, JPEG, GIF or WebP image, nor a PDF, nor UTF-8 text. Convert it to one of them first.`,
  );
}

function readBytes(path: string): Buffer {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new InputError(`${path} is not a file. Name a file for -a.`);
    if (found.size > largest) throw new InputError(`${path} is larger than 64 MiB. Attach something smaller.`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`There is no file ${path} to attach. Check the path.`, 'notFound');
    throw new InputError(`${path} cannot be read (${code}). Attach a file that you can read.`);
  }
}

function imageType(bytes: Buffer): string | undefined {
  const begin = bytes.subarray(0, 12).toString('latin1');
  if (begin.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (begin.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (begin.startsWith('GIF87a') || begin.startsWith('GIF89a')) return 'image/gif';
  if (begin.startsWith('RIFF') && begin.slice(8) === 'WEBP') return 'image/webp';
  return undefined;
}

// The server takes names of letters, digits and a few marks; whatever else a file is called is no reason to refuse it.
function nameOf(path: string): string {
  const name = basename(path)
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N} ._()+,@#&'-]/gu, '_')
    .slice(-200);
  return /^[\p{L}\p{N}_]/u.test(name) ? name : `_${name}`.slice(0, 200);
}
