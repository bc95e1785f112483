import { AppError } from '../app-error.ts';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import { damaged, type FindBackupKey, type OpenedBackup, openBackup } from './backup-file.ts';
import type { Frame } from './frames.ts';
import { type BackupTable, type Manifest, tableName } from './manifest.ts';
import type { Source } from './place.ts';
import { createRowCount } from './table-rows.ts';

/** A backup and the older ones that hold partitions for it. */
export interface BackupChain {
  readonly manifest: Manifest;
  /** The newest first. */
  readonly files: readonly OpenedBackup[];
  close(): Promise<void>;
}

/**
 * Opens a backup with all that it needs: bases lie beside it under the name they had, or are given. Only heads and lists are read.
 * Errors: `unavailable` for another key, `invalid_request` for a file that is none, is damaged, newer, or lacks a base.
 */
export async function openChain(
  source: Source,
  kek: KeyEncryptionKey | FindBackupKey,
  given: readonly Source[] = [],
): Promise<BackupChain> {
  const opened: Source[] = [source, ...given];
  const close = async () => {
    for (const one of opened) await one.close().catch(() => undefined);
  };
  try {
    const first = await openBackup(source);
    const manifest = await first.readManifest(kek);
    const others = await Promise.all(given.map(openBackup));
    const files = [first];
    for (const [id, name] of Object.entries(manifest.bases)) {
      let base = others.find(({ head }) => head.backup === id);
      if (!base) {
        const beside = await source.beside(name);
        if (beside) opened.push(beside);
        base = beside ? await openBackup(beside) : undefined;
      }
      if (base?.head.backup !== id) {
        throw new AppError(
          'invalid_request',
          `${source.name} holds only what changed since ${name} (${id}), which is not beside it. Name that backup with --base.`,
        );
      }
      await base.readManifest(kek);
      files.push(base);
    }
    return { manifest, files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface TableToRead {
  readonly table: BackupTable;
  /** All of it must be read. Throws at the end when it is not what the manifest says. */
  readonly rows: AsyncIterable<Buffer>;
}

/** Every table of the newest backup, each from the file that holds it, in the order of the files. */
export async function* readTables(
  chain: BackupChain,
  kek: KeyEncryptionKey | FindBackupKey,
): AsyncGenerator<TableToRead> {
  const newest = chain.files[0] as OpenedBackup;
  for (const file of chain.files) {
    const wanted = new Map<string, BackupTable>();
    for (const table of chain.manifest.tables) {
      if ((table.held_by ?? newest.head.backup) === file.head.backup) wanted.set(tableName(table), table);
    }
    const frames = file.frames(kek);
    for await (const frame of frames) {
      if (frame.kind !== 'begin') continue;
      const name = tableName(JSON.parse(frame.body.toString()));
      const table = wanted.get(name);
      const rows = rowsOf(frames, file, table);
      if (table) {
        wanted.delete(name);
        yield { table, rows };
      } else for await (const _ of rows);
    }
    const [missing] = wanted.keys();
    if (missing !== undefined) throw damaged(file.source, `it lacks the table ${missing}`);
  }
}

async function* rowsOf(
  frames: AsyncGenerator<Frame>,
  file: OpenedBackup,
  table: BackupTable | undefined,
): AsyncGenerator<Buffer> {
  const count = createRowCount();
  for (;;) {
    const { value: frame, done } = await frames.next();
    if (done || frame.kind === 'begin' || frame.kind === 'manifest') throw damaged(file.source, 'a table has no end');
    if (frame.kind === 'end') break;
    count.add(frame.body);
    yield frame.body;
  }
  const { rows, sha256 } = count.end();
  if (table && (rows !== table.rows || sha256 !== table.sha256)) {
    throw damaged(file.source, `the rows of ${tableName(table)} are not those that were written`);
  }
}
