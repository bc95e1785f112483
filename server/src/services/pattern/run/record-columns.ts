const accepted = `workspace uuid, id uuid, process uuid, accepted_at timestamptz, pattern text, version int, digest text,
  environment text, label text, strategy text, context text, session text, language text, model text, stream boolean, actor uuid, metadata jsonb,
  subject text, rerun_of uuid, cached_from uuid, batch uuid, data_class text, texts text`;
const finished = `${accepted}, finished_at timestamptz, status text, stop_reason text, input_tokens int,
  output_tokens int, cached_input_tokens int, reasoning_tokens int, cost_micros bigint, first_output_ms double precision,
  total_ms double precision, error_code text, error_detail text, attempts jsonb, sanitised boolean,
  flags jsonb, redacted jsonb`;

/** Columns of the journal's tables: with their types, for reading them from JSON, and their names alone. */
export const acceptedColumns = { typed: accepted, names: namesOf(accepted) };
export const finishedColumns = { typed: finished, names: namesOf(finished) };

/** The names in a list of columns with types. */
export function namesOf(columns: string): string {
  return columns
    .split(',')
    .map((column) => column.trim().split(' ')[0])
    .join(', ');
}

/**
 * Binary values of many rows as one, and where each of them lies in it, counted from 1 as the database does. In an array they
 * would travel as hexadecimal text, which costs the database more than all the rest of the row.
 */
export function packBytes(values: readonly (Buffer | null)[]): {
  readonly bytes: Buffer;
  readonly starts: number[];
  readonly sizes: (number | null)[];
} {
  const starts: number[] = [];
  const sizes: (number | null)[] = [];
  const present: Buffer[] = [];
  let next = 1;
  for (const value of values) {
    starts.push(next);
    sizes.push(value?.length ?? null);
    if (value === null) continue;
    present.push(value);
    next += value.length;
  }
  return { bytes: Buffer.concat(present), starts, sizes };
}
