import type pg from 'pg';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import type { FindBackupKey } from './backup-file.ts';
import { type BackupTable, tableName } from './manifest.ts';
import { type BackupChain, readTables } from './read-backup.ts';
import { openSnapshot } from './snapshot-store.ts';
import { blankColumn, createRowCount } from './table-rows.ts';

/** How what is in a database compares with what a backup holds. */
export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  /** Tables whose rows are not those of the backup. */
  readonly different: readonly string[];
}

/** What a new life writes anew. */
const ofLife: ReadonlySet<string> = new Set(['platform.process', 'platform.epoch', 'platform.migration']);

/**
 * Reads every table of a database that a backup was just brought back into, and the backup once more, and compares their rows
 * by digest. Numbers of transactions (`xact`) are left out: each cluster gives out its own.
 */
export async function compareRestored(
  connection: pg.ClientConfig,
  chain: BackupChain,
  {
    kek,
    leftOut,
    onTable,
  }: {
    readonly kek: KeyEncryptionKey | FindBackupKey;
    /** Tables that the restore left out. */
    readonly leftOut: readonly string[];
    /** Hears of each table, and how far it is: at most 1. */
    readonly onTable: (table: string, share: number) => void;
  },
): Promise<Comparison> {
  const all = chain.manifest.tables.length;
  const snapshot = await openSnapshot(connection);
  try {
    const there = new Map(snapshot.tables.map((table) => [tableName(table), table]));
    const different: string[] = [];
    let tables = 0;
    let count = 0;
    for await (const { table, rows } of readTables(chain, kek)) {
      const name = tableName(table);
      onTable(name, tables / all);
      const expected = await sumUpRows(rows, table);
      if (ofLife.has(name) || leftOut.includes(name)) continue;
      tables += 1;
      const found = there.get(name);
      // Columns that newer migrations added are not in the backup.
      const read = found && (await sumUpRows(snapshot.rows({ ...found, columns: table.columns }), table));
      count += read?.rows ?? 0;
      if (read?.rows !== expected.rows || read.sha256 !== expected.sha256) different.push(name);
    }
    return { tables, rows: count, different };
  } finally {
    await snapshot.close();
  }
}

async function sumUpRows(rows: AsyncIterable<Buffer>, { columns }: BackupTable) {
  const column = columns.indexOf('xact');
  const count = createRowCount();
  for await (const block of column === -1 ? rows : blankColumn(rows, column)) count.add(block);
  return count.end();
}
