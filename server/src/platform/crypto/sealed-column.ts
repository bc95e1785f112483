import type { PlaceInWorkspace } from '../vault.ts';

/** Types that keys of rows have. */
export type KeyType = 'uuid' | 'text' | 'int' | 'bigint';

/** A column that holds sealed values: what a new data key needs to know to seal them anew. */
export interface SealedColumn {
  /** `pattern.finished` */
  readonly table: string;
  readonly column: string;
  /** What tells the rows of a workspace apart, in the order of an index. */
  readonly key: Readonly<Record<string, KeyType>>;
  /** Other columns that the place is made from. */
  readonly also?: readonly string[];
  /** Where a value of this row belongs, as the one who sealed it had it. Values of the key come as texts. */
  place(row: Readonly<Record<string, string>>): PlaceInWorkspace;
  /** Moves when values change: processes hold the sealed ones in memory. */
  readonly topic?: string;
}

export const placeName = ({ table, column }: Pick<SealedColumn, 'table' | 'column'>) => `${table}.${column}`;
