import type { Database } from '#platform/database/database.ts';

/** A row of `pattern.subject_key`. */
export interface SubjectKeyRow {
  readonly id: string;
  readonly subject: string;
  /** Sealed. */
  readonly wrapped: Buffer;
}

/** The key of a subject; `fresh` where it had none. */
export function keepSubjectKey(
  database: Pick<Database, 'transaction'>,
  workspace: string,
  fresh: SubjectKeyRow,
): Promise<SubjectKeyRow> {
  return database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    await transaction.query(
      'insert into pattern.subject_key (workspace, subject, id, wrapped) values ($1, $2, $3, $4) on conflict do nothing',
      [workspace, fresh.subject, fresh.id, fresh.wrapped],
    );
    const [row] = await transaction.query<SubjectKeyRow>(
      'select id, subject, wrapped from pattern.subject_key where workspace = $1 and subject = $2',
      [workspace, fresh.subject],
    );
    if (!row) throw new Error('A key of a subject that was just kept is not there');
    return row;
  });
}

/** Undefined where it was deleted. */
export async function readSubjectKey(
  database: Pick<Database, 'transaction'>,
  workspace: string,
  id: string,
): Promise<SubjectKeyRow | undefined> {
  const [row] = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
    transaction.query<SubjectKeyRow>(
      'select id, subject, wrapped from pattern.subject_key where workspace = $1 and id = $2',
      [workspace, id],
    ),
  );
  return row;
}
