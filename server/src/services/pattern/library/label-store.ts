import type { Transaction } from '#platform/database/database.ts';

export async function readLabel(transaction: Transaction, pattern: string, label: string): Promise<number | undefined> {
  const [row] = await transaction.query<{ number: number }>(
    'select number from pattern.label where pattern = $1 and name = $2',
    [pattern, label],
  );
  return row?.number;
}

export interface LabelRow {
  readonly workspace: string;
  readonly pattern: string;
  readonly label: string;
  readonly number: number;
}

/** The version must exist. */
export async function putLabel(transaction: Transaction, row: LabelRow, at: Date): Promise<void> {
  await transaction.query(
    `insert into pattern.label (workspace, pattern, name, number) values ($1, $2, $3, $4)
     on conflict (workspace, pattern, name) do update set number = excluded.number`,
    [row.workspace, row.pattern, row.label, row.number],
  );
  await touchPattern(transaction, row.pattern, at);
}

/** False when there was no such label. */
export async function dropLabel(transaction: Transaction, pattern: string, label: string, at: Date): Promise<boolean> {
  const rows = await transaction.query('delete from pattern.label where pattern = $1 and name = $2 returning name', [
    pattern,
    label,
  ]);
  if (rows.length === 0) return false;
  await touchPattern(transaction, pattern, at);
  return true;
}

// Tables in memory look at the pattern's row only.
async function touchPattern(transaction: Transaction, pattern: string, at: Date): Promise<void> {
  await transaction.query('update pattern.pattern set updated_at = $2 where id = $1', [pattern, at]);
}
