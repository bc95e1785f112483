import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { noModel } from './model-source.ts';

/** Lower-case hex of the file's SHA-256. */
export async function hashFile(path: string, onBytes?: (read: number) => void, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  let read = 0;
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024, ...(signal ? { signal } : {}) });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    read += chunk.length;
    onBytes?.(read);
  }
  return hash.digest('hex');
}

/** Size in bytes, or null when there is no such file. */
export async function sizeOf(path: string): Promise<number | null> {
  const file = await stat(path).catch(() => undefined);
  return file?.isFile() ? file.size : null;
}

/** Throws `no_model` unless the file begins as GGUF version 2 or 3 does. Reads 8 bytes. */
export async function checkGguf(path: string): Promise<void> {
  const start = Buffer.alloc(8);
  try {
    const file = await open(path, 'r');
    await file.read(start, 0, start.length, 0).finally(() => file.close());
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw noModel(`The model file ${path} cannot be read (${code}). Check its path.`, cause);
  }
  const version = start.readUInt32LE(4);
  if (start.toString('latin1', 0, 4) === 'GGUF' && (version === 2 || version === 3)) return;
  throw noModel(`${path} is not a GGUF model file of version 2 or 3. Give the path of one.`);
}
