import { AppError } from '../app-error.ts';

/** The highest form of backups that this code reads, and the one that it writes. */
export const formatVersion = 1;

export interface BackupTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Null: no partition. */
  readonly partition: { readonly of: string; readonly bound: string } | null;
  readonly rows: number;
  /** Of the rows as COPY writes them. */
  readonly bytes: number;
  readonly sha256: string;
  /** The backup whose file has the rows, when it is another one: the partition was over and is the same there. */
  readonly held_by: string | null;
}

export interface BackupSequence {
  readonly schema: string;
  readonly name: string;
  readonly last_value: string;
}

export interface BackupMigration {
  readonly service: string;
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** The last frame of a backup: what it holds and where it comes from. */
export interface Manifest {
  readonly backup: string;
  readonly installation: string;
  readonly epoch: number;
  readonly damask: string;
  /** As `server_version_num` says it: 180004. */
  readonly postgres: number;
  /** When the snapshot was taken, by the database's clock. */
  readonly snapshot_at: string;
  readonly finished_at: string;
  /** The first transaction that the snapshot does not know. */
  readonly next_transaction: string;
  readonly migrations: readonly BackupMigration[];
  readonly tables: readonly BackupTable[];
  readonly sequences: readonly BackupSequence[];
  /** The newest id of each partitioned table: what came later is not here. */
  readonly last_ids: Readonly<Record<string, string>>;
  /** Backups that hold partitions for this one, by id, and the names that their files had. */
  readonly bases: Readonly<Record<string, string>>;
}

export function parseManifest(text: string): Manifest {
  const manifest = JSON.parse(text) as Manifest;
  if (!Array.isArray(manifest.tables) || !Array.isArray(manifest.migrations)) {
    throw new AppError('invalid_request', 'The backup has no list of what it holds. Take another one.');
  }
  return manifest;
}

/** `pattern.run`, for people. */
export const tableName = ({ schema, name }: { readonly schema: string; readonly name: string }) => `${schema}.${name}`;

/** Rows and bytes of everything that a restore of this backup brings, and of what its own file holds. */
export function sumUp(manifest: Manifest) {
  const own = manifest.tables.filter((table) => table.held_by === null);
  const add = (tables: readonly BackupTable[], field: 'rows' | 'bytes') =>
    tables.reduce((sum, table) => sum + table[field], 0);
  return {
    tables: manifest.tables.length,
    rows: add(manifest.tables, 'rows'),
    bytes: add(manifest.tables, 'bytes'),
    own_tables: own.length,
    own_rows: add(own, 'rows'),
    own_bytes: add(own, 'bytes'),
  };
}
