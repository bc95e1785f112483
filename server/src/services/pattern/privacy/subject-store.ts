import type { Transaction } from '#platform/database/database.ts';

export interface SubjectRun {
  readonly id: string;
  readonly accepted_at: Date;
  readonly pattern: string;
  readonly session: string | null;
  readonly environment: string;
  readonly data_class: string;
}

const runColumns = `id, accepted_at, pattern, session, coalesce(environment, '') as environment,
  coalesce(data_class, 'internal') as data_class`;

/** Runs of a subject that have ended. */
export function listSubjectRuns(
  transaction: Transaction,
  workspace: string,
  subject: string,
  limit: number,
): Promise<SubjectRun[]> {
  return transaction.query<SubjectRun>(
    `select ${runColumns} from pattern.finished where workspace = $1 and subject = $2 order by id limit $3`,
    [workspace, subject, limit],
  );
}

/** Runs of a subject that have not ended. */
export function listOpenRuns(
  transaction: Transaction,
  workspace: string,
  subject: string,
  limit: number,
): Promise<SubjectRun[]> {
  return transaction.query<SubjectRun>(
    `select ${runColumns} from pattern.accepted as a where workspace = $1 and subject = $2
        and not exists (select from pattern.finished as f where f.workspace = $1 and f.id = a.id) order by id limit $3`,
    [workspace, subject, limit],
  );
}

/** Takes texts, metadata and the subject from runs. What they cost and how they ended stays. */
export async function eraseRuns(transaction: Transaction, workspace: string, runs: readonly string[]): Promise<void> {
  await transaction.query(
    `update pattern.finished set payload = null, subject = null, metadata = '{}', error_detail = null, texts = 'erased'
      where workspace = $1 and id = any($2::uuid[])`,
    [workspace, runs],
  );
  await transaction.query(
    `update pattern.accepted set subject = null, metadata = '{}', texts = 'erased'
      where workspace = $1 and id = any($2::uuid[])`,
    [workspace, runs],
  );
  await transaction.query('delete from pattern.run_signal where workspace = $1 and run = any($2::uuid[])', [
    workspace,
    runs,
  ]);
}

/** True where the subject had a key. */
export async function deleteKey(transaction: Transaction, workspace: string, subject: string): Promise<boolean> {
  const rows = await transaction.query(
    'delete from pattern.subject_key where workspace = $1 and subject = $2 returning 1',
    [workspace, subject],
  );
  return rows.length > 0;
}

export interface SubjectTurn {
  /** Of the session. */
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly role: 'user' | 'assistant' | 'system' | 'meta';
  readonly run: string;
  readonly content: Buffer;
  readonly created_at: Date;
}

/** What runs said in their sessions. */
export function listTurnsOf(
  transaction: Transaction,
  workspace: string,
  runs: readonly Pick<SubjectRun, 'id' | 'session'>[],
): Promise<SubjectTurn[]> {
  const spoken = runs.filter(({ session }) => session !== null);
  if (spoken.length === 0) return Promise.resolve([]);
  return transaction.query<SubjectTurn>(
    `select s.id, s.name, t.number, t.role, t.run, t.content, t.created_at from pattern.session as s
       join pattern.turn as t on t.workspace = s.workspace and t.session = s.id
      where s.workspace = $1 and t.workspace = $1 and s.name = any($2::text[]) and t.run = any($3::uuid[])
      order by s.name, t.number`,
    [workspace, [...new Set(spoken.map(({ session }) => session))], spoken.map(({ id }) => id)],
  );
}

/** Puts another text in a turn's place. */
export async function overwriteTurn(
  transaction: Transaction,
  workspace: string,
  { id, number }: Pick<SubjectTurn, 'id' | 'number'>,
  turn: { readonly sealed: Buffer; readonly bytes: number },
): Promise<void> {
  const [before] = await transaction.query<{ bytes: number }>(
    'select bytes from pattern.turn where workspace = $1 and session = $2 and number = $3',
    [workspace, id, number],
  );
  await transaction.query(
    'update pattern.turn set content = $4, bytes = $5 where workspace = $1 and session = $2 and number = $3',
    [workspace, id, number, turn.sealed, turn.bytes],
  );
  await transaction.query(
    'update pattern.session set bytes = greatest(0, bytes - $3) where workspace = $1 and id = $2',
    [workspace, id, (before?.bytes ?? 0) - turn.bytes],
  );
}

export interface SubjectChunk {
  readonly batch: string;
  readonly first: number;
  readonly content: Buffer;
}

/** Lines of batches that name subjects, sealed together, after a place. */
export function listSubjectChunks(
  transaction: Transaction,
  workspace: string,
  after: { readonly batch: string; readonly first: number } | undefined,
  limit: number,
): Promise<SubjectChunk[]> {
  return transaction.query<SubjectChunk>(
    `select batch, first_line as first, content from pattern.batch_chunk where workspace = $1 and subjects
        and ($2::uuid is null or (batch, first_line) > ($2, $3)) order by batch, first_line limit $4`,
    [workspace, after?.batch ?? null, after?.first ?? 0, limit],
  );
}

export async function replaceChunk(
  transaction: Transaction,
  workspace: string,
  { batch, first, content }: SubjectChunk,
  subjects: boolean,
): Promise<void> {
  await transaction.query(
    'update pattern.batch_chunk set content = $4, subjects = $5 where workspace = $1 and batch = $2 and first_line = $3',
    [workspace, batch, first, content, subjects],
  );
}

export interface SealedTimer {
  readonly name: string;
  readonly run: Buffer;
}

export function listSealedTimers(
  transaction: Transaction,
  workspace: string,
  after: string | null,
  limit: number,
): Promise<SealedTimer[]> {
  return transaction.query<SealedTimer>(
    'select name, run from pattern.timer where workspace = $1 and ($2::text is null or name > $2) order by name limit $3',
    [workspace, after, limit],
  );
}

export async function deleteTimerOf(transaction: Transaction, workspace: string, name: string): Promise<void> {
  await transaction.query('delete from pattern.timer where workspace = $1 and name = $2', [workspace, name]);
}

/** What still names the subject: rows of the journal, and its key. */
export async function countLeft(transaction: Transaction, workspace: string, subject: string): Promise<number> {
  const [row] = await transaction.query<{ left: number }>(
    `select ((select count(*) from pattern.finished where workspace = $1 and subject = $2)
        + (select count(*) from pattern.accepted where workspace = $1 and subject = $2)
        + (select count(*) from pattern.subject_key where workspace = $1 and subject = $2))::int as left`,
    [workspace, subject],
  );
  return row?.left ?? 0;
}

/** Runs of a subject by id, ended or not, after one of them. */
export function listSubjectRunIds(
  transaction: Transaction,
  workspace: string,
  subject: string,
  page: { readonly after: string | null; readonly limit: number },
): Promise<Pick<SubjectRun, 'id' | 'session'>[]> {
  const of = (table: string) => `(select id, session from pattern.${table}
    where workspace = $1 and subject = $2 and ($3::uuid is null or id > $3) order by id limit $4)`;
  return transaction.query(
    `select id, max(session) as session from (${of('finished')} union all ${of('accepted')}) as runs
      group by id order by id limit $4`,
    [workspace, subject, page.after, page.limit],
  );
}

/** The sealed work of a run that has not ended. */
export async function readTaskRequest(
  transaction: Transaction,
  workspace: string,
  id: string,
): Promise<Buffer | undefined> {
  const [row] = await transaction.query<{ request: Buffer }>(
    'select request from pattern.task where workspace = $1 and id = $2',
    [workspace, id],
  );
  return row?.request;
}
