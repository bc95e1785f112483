import type pg from 'pg';
import { type BackupTable, type Manifest, tableName } from './manifest.ts';
import { type FoundTable, openSnapshot } from './snapshot-store.ts';
import { createRowCount } from './table-rows.ts';

/** How what is in a database compares with what a backup says that it holds. */
export interface Comparison {
  readonly tables: number;
  /** Tables whose rows were compared by their digest. The others have numbers that every cluster gives out itself: they are counted. */
  readonly digested: number;
  readonly rows: number;
  /** Tables that are not as they were. */
  readonly different: readonly string[];
}

/** What a new life writes anew. */
const ofLife: ReadonlySet<string> = new Set(['platform.process', 'platform.epoch', 'platform.migration']);

/** Reads every table of a database that a backup was just brought back into, and holds it against the manifest. */
export async function compareRestored(
  connection: pg.ClientConfig,
  manifest: Manifest,
  {
    leftOut,
    onTable,
  }: { readonly leftOut: readonly string[]; readonly onTable: (table: string, done: number) => void },
): Promise<Comparison> {
  const snapshot = await openSnapshot(connection);
  try {
    const found = new Map(snapshot.tables.map((table) => [tableName(table), table]));
    const expected = manifest.tables.filter(
      (table) => !ofLife.has(tableName(table)) && !leftOut.includes(tableName(table)),
    );
    const different: string[] = [];
    let rows = 0;
    let digested = 0;
    for (const [index, table] of expected.entries()) {
      const name = tableName(table);
      onTable(name, index / expected.length);
      const there = found.get(name);
      const count = createRowCount();
      if (there) for await (const block of snapshot.rows(inOrder(there, table))) count.add(block);
      const sums = count.end();
      rows += sums.rows;
      const byDigest = !table.columns.includes('xact');
      if (byDigest) digested += 1;
      if (sums.rows !== table.rows || (byDigest && sums.sha256 !== table.sha256)) different.push(name);
    }
    return { tables: expected.length, digested, rows, different };
  } finally {
    await snapshot.close();
  }
}

/** Columns that newer migrations added are not in the backup. */
const inOrder = (there: FoundTable, { columns }: BackupTable): FoundTable => ({ ...there, columns });
