import type { TurnRole } from '@damask/contracts/session.ts';
import type { Transaction } from '#platform/database/database.ts';

/** A turn as it is stored. */
export interface TurnRow {
  readonly number: number;
  readonly role: TurnRole;
  readonly content: Buffer;
  readonly run: string | null;
  readonly created_at: Date;
}

/** Turns up to `last`, oldest first. */
export function listTurnRows(
  transaction: Transaction,
  session: string,
  page: { readonly after: number; readonly last: number; readonly limit: number },
): Promise<TurnRow[]> {
  return transaction.query<TurnRow>(
    `select number, role, content, run, created_at from pattern.turn
      where session = $1 and number > $2 and number <= $3 order by number limit $4`,
    [session, page.after, page.last, page.limit],
  );
}

/** Appends turns in one statement, numbered from `from`. */
export async function insertTurns(
  transaction: Transaction,
  session: { readonly workspace: string; readonly id: string },
  from: number,
  turns: readonly (Pick<TurnRow, 'role' | 'content' | 'run' | 'created_at'> & { readonly bytes: number })[],
): Promise<void> {
  if (turns.length === 0) return;
  await transaction.query(
    `insert into pattern.turn (workspace, session, number, role, content, bytes, run, created_at)
     select $1, $2, $3 + place - 1, role, content, bytes, run, created_at
       from unnest($4::text[], $5::bytea[], $6::int[], $7::uuid[], $8::timestamptz[]) with ordinality
         as given(role, content, bytes, run, created_at, place)`,
    [
      session.workspace,
      session.id,
      from,
      turns.map(({ role }) => role),
      turns.map(({ content }) => content),
      turns.map(({ bytes }) => bytes),
      turns.map(({ run }) => run),
      turns.map(({ created_at }) => created_at),
    ],
  );
}
