import type { RunFlag } from '@damask/contracts/guard.ts';
import type { TextsGone } from '@damask/contracts/run.ts';
import type { Transaction } from '#platform/database/database.ts';

/** Lines sealed together. */
export interface SealedChunk {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly content: Buffer;
  /** Of good lines: whether one of them names a subject. */
  readonly subjects?: boolean;
}

export type ChunkTable = 'batch_chunk' | 'batch_rejected';

export async function insertChunk(
  transaction: Transaction,
  table: ChunkTable,
  { workspace, batch }: { readonly workspace: string; readonly batch: string },
  { first, last, count, content, subjects = false }: SealedChunk,
): Promise<void> {
  const [name, value] = table === 'batch_chunk' ? [', subjects', ', $7'] : ['', ''];
  await transaction.query(
    `insert into pattern.${table} (workspace, batch, first_line, last_line, lines, content${name})
     values ($1, $2, $3, $4, $5, $6${value})`,
    [workspace, batch, first, last, count, content, ...(table === 'batch_chunk' ? [subjects] : [])],
  );
}

/** Of a batch that has ended and whose texts are not to be kept. */
export async function forgetLines(transaction: Transaction, batch: string): Promise<void> {
  for (const table of ['batch_chunk', 'batch_rejected']) {
    await transaction.query(`delete from pattern.${table} where batch = $1`, [batch]);
  }
}

/** Chunks with lines after this one, in their order. */
export async function readChunks(
  transaction: Transaction,
  table: ChunkTable,
  batch: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<SealedChunk[]> {
  return transaction.query<SealedChunk>(
    `select first_line as first, last_line as last, lines as count, content from pattern.${table}
      where batch = $1 and last_line > $2 order by first_line limit $3`,
    [batch, after, limit],
  );
}

export type LineState = 'open' | 'again' | 'succeeded' | 'failed' | 'cancelled';

export interface LineRow {
  readonly line: number;
  readonly run: string | null;
  readonly same_as: number | null;
  readonly state: LineState;
}

/** Lines whose runs are made in this transaction. A line that has one already breaks it off. */
export async function insertLines(
  transaction: Transaction,
  { workspace, batch }: { readonly workspace: string; readonly batch: string },
  lines: readonly LineRow[],
): Promise<void> {
  if (lines.length === 0) return;
  await transaction.query(
    `insert into pattern.batch_line (workspace, batch, line, run, same_as, state)
     select $1, $2, * from unnest($3::int[], $4::uuid[], $5::int[], $6::text[])`,
    [
      workspace,
      batch,
      lines.map(({ line }) => line),
      lines.map(({ run }) => run),
      lines.map(({ same_as }) => same_as),
      lines.map(({ state }) => state),
    ],
  );
}

/** New states, and new runs of lines that are run once more. */
export async function updateLines(transaction: Transaction, batch: string, lines: readonly Omit<LineRow, 'same_as'>[]) {
  if (lines.length === 0) return;
  await transaction.query(
    `update pattern.batch_line as l set state = g.state, run = g.run
       from unnest($2::int[], $3::uuid[], $4::text[]) as g(line, run, state) where l.batch = $1 and l.line = g.line`,
    [batch, lines.map(({ line }) => line), lines.map(({ run }) => run), lines.map(({ state }) => state)],
  );
}

/** Lines in this state, by line. */
export function listLines(
  transaction: Transaction,
  batch: string,
  { state, limit }: { readonly state: 'open' | 'again'; readonly limit: number },
): Promise<LineRow[]> {
  // The second condition is that of the index.
  return transaction.query<LineRow>(
    `select line, run, same_as, state from pattern.batch_line
      where batch = $1 and state in ('open', 'again') and state = $2 order by line limit $3`,
    [batch, state, limit],
  );
}

export async function readLines(transaction: Transaction, batch: string, lines: readonly number[]): Promise<LineRow[]> {
  if (lines.length === 0) return [];
  return transaction.query<LineRow>(
    'select line, run, same_as, state from pattern.batch_line where batch = $1 and line = any($2::int[])',
    [batch, lines],
  );
}

/** Lines that were begun, after this one, in their order. */
export function listLinesAfter(
  transaction: Transaction,
  batch: string,
  { after, limit, failed = false }: { readonly after: number; readonly limit: number; readonly failed?: boolean },
): Promise<LineRow[]> {
  return transaction.query<LineRow>(
    `select line, run, same_as, state from pattern.batch_line
      where batch = $1 and line > $2 ${failed ? "and state = 'failed'" : ''} order by line limit $3`,
    [batch, after, limit],
  );
}

/** How a run of a batch ended. */
export interface RunEndRow {
  readonly id: string;
  readonly accepted_at: Date;
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly error_code: string | null;
  readonly error_detail: string | null;
  readonly model: string;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_micros: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly flags: readonly RunFlag[] | null;
  readonly texts: TextsGone | null;
  /** Bytes of its sealed texts. */
  readonly bytes: number | null;
}

/** Those of these runs that have ended. */
export async function readEnds(transaction: Transaction, runs: readonly string[]): Promise<Map<string, RunEndRow>> {
  if (runs.length === 0) return new Map();
  const rows = await transaction.query<RunEndRow>(
    `select id, accepted_at, status, error_code, error_detail, model, input_tokens, output_tokens, cost_micros, metadata, flags, texts,
        octet_length(payload) as bytes from pattern.finished where id = any($1::uuid[])`,
    [runs],
  );
  return new Map(
    rows.map((row) => [row.id, { ...row, cost_micros: row.cost_micros === null ? null : Number(row.cost_micros) }]),
  );
}

/** Sealed texts of these runs. */
export async function readPayloads(transaction: Transaction, runs: readonly string[]): Promise<Map<string, Buffer>> {
  if (runs.length === 0) return new Map();
  const rows = await transaction.query<{ id: string; payload: Buffer }>(
    'select id, payload from pattern.finished where id = any($1::uuid[]) and payload is not null',
    [runs],
  );
  return new Map(rows.map(({ id, payload }) => [id, payload]));
}
