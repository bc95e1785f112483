import type { Database, Transaction } from '#platform/database/database.ts';

/** A piece of what a run has said so far. */
export interface OutputPiece {
  readonly workspace: string;
  readonly run: string;
  readonly token: bigint;
  readonly attempt: number;
  /** Bytes before it. */
  readonly start: number;
  readonly bytes: number;
  /** Sealed. */
  readonly piece: Buffer;
}

const asWorker = { role: 'worker', workspace: null };

/** Keeps pieces of many runs in one commit, and forgets those of runs that have ended. Safe to repeat. */
export async function keepPieces(
  database: Pick<Database, 'transaction'>,
  pieces: readonly OutputPiece[],
  ended: readonly { readonly workspace: string; readonly run: string }[],
): Promise<void> {
  await database.transaction(asWorker, async (transaction) => {
    // A piece that is lost with the database's machine is written again, or its run ends without it.
    await transaction.query('set local synchronous_commit = off');
    if (ended.length > 0) {
      await transaction.query(
        `delete from pattern.run_output as o using unnest($1::uuid[], $2::uuid[]) as g(workspace, run)
          where o.workspace = g.workspace and o.run = g.run`,
        [ended.map(({ workspace }) => workspace), ended.map(({ run }) => run)],
      );
    }
    if (pieces.length > 0) {
      await transaction.query(
        `insert into pattern.run_output (workspace, run, token, attempt, start, bytes, piece)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::bytea[])
         on conflict (workspace, run, token, attempt, start) do update set bytes = excluded.bytes, piece = excluded.piece`,
        [
          pieces.map(({ workspace }) => workspace),
          pieces.map(({ run }) => run),
          pieces.map(({ token }) => String(token)),
          pieces.map(({ attempt }) => attempt),
          pieces.map(({ start }) => start),
          pieces.map(({ bytes }) => bytes),
          pieces.map(({ piece }) => piece),
        ],
      );
    }
  });
}

/** Forgets what a process left behind that died at the end of a run: no run takes so long. */
export async function forgetOldPieces(database: Pick<Database, 'transaction'>): Promise<void> {
  await database.transaction(asWorker, (transaction) =>
    transaction.query(
      `delete from pattern.run_output where (workspace, run, token, attempt, start) in (select workspace, run, token, attempt, start
         from pattern.run_output where written_at < now() - interval '3 hours' order by written_at limit 5000)`,
    ),
  );
}

export interface StoredPiece extends OutputPiece {
  /** Another attempt wrote another text before. */
  readonly others: boolean;
}

/** How far a run is, in one look. */
export interface RunReach {
  readonly ended: boolean;
  readonly queued: boolean;
  /** Of its newest text, as far as it is written down. */
  readonly bytes: number;
}

/** Cheap enough to be asked some times a second. */
export async function readReach(transaction: Transaction, run: string): Promise<RunReach> {
  const [row] = await transaction.query<{ ended: boolean; queued: boolean; bytes: string }>(
    `select exists (select from pattern.finished where id = $1) as ended,
        exists (select from pattern.task where id = $1) as queued,
        coalesce((select start + bytes from pattern.run_output where run = $1
          order by token desc, attempt desc, start desc limit 1), 0)::text as bytes`,
    [run],
  );
  return { ended: row?.ended === true, queued: row?.queued === true, bytes: Number(row?.bytes ?? 0) };
}

const piecesAtOnce = 50;

/** The pieces of a run's newest text that lie behind `from` bytes, in order; the first may begin before it. */
export async function readPieces(transaction: Transaction, run: string, from: number): Promise<StoredPiece[]> {
  const rows = await transaction.query<Omit<StoredPiece, 'token' | 'start'> & { token: string; start: string }>(
    `with newest as (
        select token, attempt from pattern.run_output where run = $1 order by token desc, attempt desc limit 1)
     select o.workspace, o.run, o.token::text, o.attempt, o.start::text, o.bytes, o.piece,
        exists (select from pattern.run_output as p where p.run = $1 and (p.token, p.attempt) <> (n.token, n.attempt)) as others
       from pattern.run_output as o join newest as n on n.token = o.token and n.attempt = o.attempt
      where o.run = $1 and o.start + o.bytes > $2 order by o.start limit ${piecesAtOnce}`,
    [run, from],
  );
  return rows.map((row) => ({ ...row, token: BigInt(row.token), start: Number(row.start) }));
}
