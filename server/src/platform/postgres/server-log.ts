import type { FileHandle } from 'node:fs/promises';
import { open, rename, stat } from 'node:fs/promises';
import { explainFileError } from './failure.ts';

const rotateAbove = 5 * 1024 * 1024;
const tailBytes = 16 * 1024;

/** PostgreSQL's own log: one file and its predecessor. `tail` reads what was written since it was opened. */
export interface ServerLog {
  readonly fd: number;
  tail(): Promise<string>;
  close(): Promise<void>;
}

export async function openServerLog(path: string): Promise<ServerLog> {
  try {
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (size > rotateAbove) await rename(path, `${path}.1`);
    const file = await open(path, 'a+', 0o600);
    const start = (await file.stat()).size;
    return { fd: file.fd, tail: () => readTail(file, start), close: () => file.close() };
  } catch (error) {
    throw explainFileError(error, path);
  }
}

async function readTail(file: FileHandle, start: number): Promise<string> {
  const { size } = await file.stat();
  const from = Math.max(start, size - tailBytes);
  const buffer = Buffer.alloc(Math.max(0, size - from));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return buffer.toString('utf8', 0, bytesRead);
}
