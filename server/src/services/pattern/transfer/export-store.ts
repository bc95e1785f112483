import type { Transaction } from '#platform/database/database.ts';

/** The newest version of a living pattern, without its texts. */
export interface ExportedPattern {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** In the order of the paths. */
  readonly files: readonly { readonly path: string; readonly hash: string }[];
  /** Of all its files in UTF-8. */
  readonly bytes: number;
}

export interface ExportPage {
  /** The name before the first one that is wanted. */
  readonly after: string | null;
  /** Only these; null for all. */
  readonly names: readonly string[] | null;
  readonly limit: number;
}

/** By name. */
export async function listExported(
  transaction: Transaction,
  { after, names, limit }: ExportPage,
): Promise<ExportedPattern[]> {
  const rows = await transaction.query<Omit<ExportedPattern, 'bytes'> & { bytes: string }>(
    `select p.name, v.description, v.tags, v.files,
        (select coalesce(sum(octet_length(f.content)), 0) from jsonb_to_recordset(v.files) as listed(hash text)
          join pattern.file as f on f.workspace = v.workspace and f.hash = listed.hash) as bytes
       from pattern.pattern as p
       join pattern.version as v on v.workspace = p.workspace and v.pattern = p.id and v.number = p.latest
      where p.deleted_at is null and ($1::text is null or p.name > $1) and ($2::text[] is null or p.name = any($2))
      order by p.name limit $3`,
    [after, names, limit],
  );
  return rows.map(({ bytes, ...row }) => ({ ...row, bytes: Number(bytes) }));
}

/** Texts by their hash. */
export async function readTexts(transaction: Transaction, hashes: readonly string[]): Promise<Map<string, string>> {
  const rows = await transaction.query<{ hash: string; content: string }>(
    'select hash, content from pattern.file where hash = any($1)',
    [hashes],
  );
  return new Map(rows.map(({ hash, content }) => [hash, content]));
}
