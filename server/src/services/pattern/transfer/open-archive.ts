import { gunzipSync } from 'node:zlib';
import { type ArchiveEntry, damaged } from './archive-entry.ts';
import { readTar } from './read-tar.ts';
import { readZip } from './read-zip.ts';

const mebibyte = 1024 * 1024;
// A tar of 100,000 small files is mostly zeros and shrinks about fiftyfold; a bomb shrinks a thousandfold.
const ratioAllowed = 200;
const leastUnpacked = 16 * mebibyte;
const mostUnpacked = 256 * mebibyte;

/** The entries of a zip, tar or tar.gz, told apart by their first bytes. Throws `invalid_archive`. */
export function openArchive(bytes: Buffer): ArchiveEntry[] {
  if (bytes.length === 0) throw damaged('is empty');
  if (startsWith(bytes, [0x50, 0x4b])) return readZip(bytes);
  if (startsWith(bytes, [0x1f, 0x8b])) return readTar(gunzip(bytes));
  if (
    startsWith(bytes, [0x42, 0x5a, 0x68]) ||
    startsWith(bytes, [0xfd, 0x37, 0x7a]) ||
    startsWith(bytes, [0x28, 0xb5])
  ) {
    throw damaged('is packed with bzip2, xz or zstd; only gzip is read');
  }
  if (startsWith(bytes, [0x37, 0x7a, 0xbc]) || startsWith(bytes, [0x52, 0x61, 0x72])) {
    throw damaged('is a 7z or rar file');
  }
  if (bytes.length < 512) throw damaged('is neither zip nor tar');
  return readTar(bytes);
}

function gunzip(bytes: Buffer): Buffer {
  const most = Math.min(mostUnpacked, Math.max(leastUnpacked, ratioAllowed * bytes.length));
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw damaged(`unpacks to more than ${most} bytes`, cause);
    }
    throw damaged('is damaged or was cut off', cause);
  }
}

function startsWith(bytes: Buffer, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}
