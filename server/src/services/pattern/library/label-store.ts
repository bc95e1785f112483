import type { LabelMove } from '@damask/contracts/history.ts';
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

/** A move as it enters the database. `id` is a UUIDv7, so that moves are in order. */
export interface NewLabelMove extends Pick<LabelMove, 'label' | 'before' | 'after' | 'moved_by' | 'author'> {
  readonly workspace: string;
  readonly id: string;
  readonly pattern: string;
}

export async function noteLabelMove(transaction: Transaction, move: NewLabelMove, at: Date): Promise<void> {
  await transaction.query(
    `insert into pattern.label_move (workspace, id, pattern, label, before, after, moved_at, moved_by, author)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      move.workspace,
      move.id,
      move.pattern,
      move.label,
      move.before,
      move.after,
      at.toISOString(),
      move.moved_by,
      move.author,
    ],
  );
}

/** Newest first, below the id `before`. */
export async function readLabelMoves(
  transaction: Transaction,
  pattern: string,
  page: { readonly label: string | null; readonly before: string | null; readonly limit: number },
): Promise<(LabelMove & { readonly id: string })[]> {
  const rows = await transaction.query<Omit<LabelMove, 'moved_at'> & { id: string; moved_at: Date }>(
    `select id, label, before, after, moved_at, moved_by, author from pattern.label_move
      where pattern = $1 and ($2::text is null or label = $2) and ($3::uuid is null or id < $3)
      order by id desc limit $4`,
    [pattern, page.label, page.before, page.limit],
  );
  return rows.map(({ moved_at, ...row }) => ({ ...row, moved_at: moved_at.toISOString() }));
}
