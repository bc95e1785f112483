import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OutputError } from '../output-error.ts';
import { csvLine } from './csv-text.ts';

/** A file of an archive that is being made. */
export interface SpooledFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Records in it, where it is a list. */
  readonly rows: number | null;
  /** The request, or the flag, that it came from. */
  readonly from: string;
}

export interface SpoolWriter {
  write(data: string | Uint8Array): Promise<void>;
  end(rows?: number): Promise<void>;
}

/** Files wait on the disk until their sizes are known: an archive may be larger than the memory. */
export interface Spool {
  open(path: string, from: string): Promise<SpoolWriter>;
  text(path: string, from: string, text: string, rows?: number): Promise<void>;
  /** A list as JSON and as CSV. `columns` names the fields of the CSV. Answers how many rows there were. */
  list<Row extends object>(
    path: string,
    from: string,
    columns: readonly (string & keyof Row)[],
    rows: AsyncIterable<Row> | Iterable<Row>,
  ): Promise<number>;
  files(): readonly SpooledFile[];
  /** Takes back what came after the first `count` files, and what was not ended. */
  keep(count: number): Promise<void>;
  read(path: string): ReadStream;
  /** Removes all of it from the disk. */
  close(): Promise<void>;
}

const flushAt = 64 * 1024;

/** Spools into a folder of its own within `parent`. Throws OutputError. */
export async function openSpool(parent: string): Promise<Spool> {
  const folder = await told(() => mkdtemp(join(parent, '.damask-evidence-')));
  const files: SpooledFile[] = [];
  const unended = new Set<FileHandle>();
  const closeUnended = async () => {
    await Promise.all([...unended].map((handle) => handle.close()));
    unended.clear();
  };

  async function openFile(path: string, from: string): Promise<SpoolWriter> {
    const place = join(folder, path);
    await told(() => mkdir(dirname(place), { recursive: true, mode: 0o700 }));
    const handle = await told(() => open(place, 'w', 0o600));
    unended.add(handle);
    const digest = createHash('sha256');
    let bytes = 0;
    let waiting: Uint8Array[] = [];
    let size = 0;
    const flush = async () => {
      if (size === 0) return;
      const data = Buffer.concat(waiting);
      [waiting, size] = [[], 0];
      digest.update(data);
      bytes += data.length;
      await told(() => handle.writeFile(data));
    };
    return {
      async write(data) {
        const piece = typeof data === 'string' ? Buffer.from(data) : data;
        waiting.push(piece);
        size += piece.length;
        if (size >= flushAt) await flush();
      },
      async end(rows) {
        await flush();
        unended.delete(handle);
        await handle.close();
        files.push({ path, bytes, sha256: digest.digest('hex'), rows: rows ?? null, from });
      },
    };
  }

  return {
    open: openFile,
    async text(path, from, text, rows) {
      const file = await openFile(path, from);
      await file.write(text);
      await file.end(rows);
    },
    async list(path, from, columns, rows) {
      const json = await openFile(`${path}.json`, from);
      const csv = await openFile(`${path}.csv`, from);
      await csv.write(csvLine(columns));
      let count = 0;
      for await (const row of rows) {
        await json.write(`${count === 0 ? '[\n' : ',\n'}${JSON.stringify(row)}`);
        await csv.write(csvLine(columns.map((name) => row[name])));
        count += 1;
      }
      await json.write(count === 0 ? '[]\n' : '\n]\n');
      await json.end(count);
      await csv.end(count);
      return count;
    },
    files: () => files,
    async keep(count) {
      files.splice(count);
      await closeUnended();
    },
    read: (path) => createReadStream(join(folder, path)),
    async close() {
      await closeUnended();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new OutputError((error as NodeJS.ErrnoException).code);
  }
}
