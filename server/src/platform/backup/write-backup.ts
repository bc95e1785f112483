import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Clock } from '../clock.ts';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import { type BackupHead, frameKey, writeEnd, writeHead } from './backup-file.ts';
import { type BackupTable, type Manifest, tableName } from './manifest.ts';
import type { Destination } from './place.ts';
import { type FoundTable, openSnapshot, type Snapshot } from './snapshot-store.ts';
import { createRowCount } from './table-rows.ts';
import { createFrameWriter, type FrameWriter } from './write-frames.ts';

export interface BackupProgress {
  readonly table: string;
  /** Of the rows as they are read. */
  readonly bytes: number;
  readonly written: number;
  /** About how much there is to read, from the space on the disk. */
  readonly expected: number;
}

export interface WriteBackupOptions {
  readonly connection: pg.ClientConfig;
  readonly destination: Destination;
  /** Wrapped: a key for this backup alone, as whoever keeps the key-encryption key gave it back. */
  readonly kek: KeyEncryptionKey & { readonly wrapped?: string };
  readonly clock: Clock;
  readonly damask: string;
  /** A backup whose sealed partitions need not be written again. */
  readonly base?: { readonly manifest: Manifest; readonly name: string };
  readonly onProgress?: (progress: BackupProgress) => void;
}

/**
 * Writes one moment of the whole database, sealed and compressed, while others go on. Holds a few MiB, whatever the size.
 * Whatever fails leaves nothing under the destination's name.
 */
export async function writeBackup(options: WriteBackupOptions): Promise<{ manifest: Manifest; written: number }> {
  const { connection, destination } = options;
  let snapshot: Snapshot | undefined;
  try {
    snapshot = await openSnapshot(connection);
    const done = await writeAll(options, snapshot);
    await destination.finish();
    return done;
  } catch (error) {
    await destination.abort().catch(() => undefined);
    throw error;
  } finally {
    await snapshot?.close().catch(() => undefined);
  }
}

async function writeAll(options: WriteBackupOptions, snapshot: Snapshot) {
  const { clock, destination, kek, damask, onProgress, base } = options;
  const moment = () => new Date(clock.now()).toISOString();
  const head: BackupHead = {
    backup: randomUUID(),
    kek: kek.id,
    ...(kek.wrapped === undefined ? {} : { wrapped: kek.wrapped }),
    salt: randomBytes(32).toString('base64'),
    begun_at: moment(),
    damask,
  };
  const headBytes = writeHead(head);
  await destination.write(headBytes);
  const frames = createFrameWriter(destination, frameKey(kek, head, headBytes), headBytes.length);
  const tables: BackupTable[] = [];
  let read = 0;
  for (const table of snapshot.tables) {
    const held = await findHeld(table, snapshot, base?.manifest);
    const tell = (bytes: number) =>
      onProgress?.({
        table: tableName(table),
        bytes: read + bytes,
        written: frames.written,
        expected: snapshot.disk_bytes,
      });
    const written = held ?? (await writeTable(table, snapshot, frames, tell));
    read += written.bytes;
    tables.push(written);
  }
  const { at, disk_bytes: _, rows: __, close: ___, tables: ____, ...facts } = snapshot;
  const manifest: Manifest = {
    ...facts,
    backup: head.backup,
    damask,
    snapshot_at: at,
    finished_at: moment(),
    tables,
    bases: basesOf(tables, base),
  };
  const last = await frames.finish('manifest', Buffer.from(JSON.stringify(manifest)));
  const end = writeEnd(last.offset, last.number);
  await destination.write(end);
  return { manifest, written: frames.written + end.length };
}

async function writeTable(
  table: FoundTable,
  snapshot: Snapshot,
  frames: FrameWriter,
  tell: (bytes: number) => void,
): Promise<BackupTable> {
  await frames.add('begin', Buffer.from(JSON.stringify({ schema: table.schema, name: table.name })));
  const count = createRowCount();
  let bytes = 0;
  for await (const block of snapshot.rows(table)) {
    count.add(block);
    await frames.add('data', block);
    bytes += block.length;
    tell(bytes);
  }
  const sums = count.end();
  await frames.add('end', Buffer.from(JSON.stringify(sums)));
  return { ...table, ...sums, held_by: null };
}

/** The entry of a partition whose week was over and whose rows are, byte by byte, those that an older backup holds. */
async function findHeld(
  table: FoundTable,
  snapshot: Snapshot,
  base: Manifest | undefined,
): Promise<BackupTable | undefined> {
  if (!base || !isSealed(table, Date.parse(snapshot.at))) return undefined;
  const kept = base.tables.find((other) => other.schema === table.schema && other.name === table.name);
  // What has no rows costs nothing to write, and needs no older backup then.
  if (
    !kept ||
    kept.rows === 0 ||
    kept.columns.join() !== table.columns.join() ||
    kept.partition?.bound !== table.partition?.bound
  ) {
    return undefined;
  }
  const hash = createHash('sha256');
  // An older run may still have ended since, or a person may have been erased: only reading tells.
  for await (const block of snapshot.rows(table)) hash.update(block);
  return hash.digest('hex') === kept.sha256 ? { ...kept, held_by: kept.held_by ?? base.backup } : undefined;
}

/** Bounds are UUIDv7: their first 48 bits are milliseconds since 1970. */
function isSealed({ partition }: FoundTable, now: number): boolean {
  const upper = /^FOR VALUES FROM \('[^']*'\) TO \('([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f-]+'\)$/.exec(
    partition?.bound ?? '',
  );
  return upper !== null && Number.parseInt(`${upper[1]}${upper[2]}`, 16) <= now;
}

function basesOf(tables: readonly BackupTable[], base: WriteBackupOptions['base']): Record<string, string> {
  if (!base) return {};
  const names: Record<string, string> = { ...base.manifest.bases, [base.manifest.backup]: base.name };
  const holders = new Set(tables.flatMap(({ held_by }) => held_by ?? []));
  return Object.fromEntries(Object.entries(names).filter(([id]) => holders.has(id)));
}
