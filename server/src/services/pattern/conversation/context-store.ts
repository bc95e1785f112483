import type { ContextSummary } from '@damask/contracts/context.ts';
import type { Transaction } from '#platform/database/database.ts';

interface ContextRow {
  readonly name: string;
  readonly bytes: number;
  readonly updated_at: Date;
}

const columns = 'name, bytes, updated_at';

/** By name. */
export async function listContexts(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<ContextSummary[]> {
  const rows = await transaction.query<ContextRow>(
    `select ${columns} from pattern.context where $1::text is null or name > $1 order by name limit $2`,
    [page.after, page.limit],
  );
  return rows.map(toSummary);
}

/** With its sealed text. */
export async function findContext(
  transaction: Transaction,
  name: string,
): Promise<(ContextSummary & { readonly content: Buffer }) | undefined> {
  const [row] = await transaction.query<ContextRow & { content: Buffer }>(
    `select ${columns}, content from pattern.context where name = $1`,
    [name],
  );
  return row && { ...toSummary(row), content: row.content };
}

/** Nobody else changes it until the transaction ends. */
export async function lockContext(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('select 1 from pattern.context where name = $1 for update', [name]);
}

/** Creates or replaces it. `updated_at` is RFC 3339. */
export async function putContext(
  transaction: Transaction,
  row: ContextSummary & { readonly workspace: string; readonly content: Buffer },
): Promise<void> {
  await transaction.query(
    `insert into pattern.context (workspace, name, content, bytes, updated_at) values ($1, $2, $3, $4, $5)
     on conflict (workspace, name) do update
        set content = excluded.content, bytes = excluded.bytes, updated_at = excluded.updated_at`,
    [row.workspace, row.name, row.content, row.bytes, row.updated_at],
  );
}

/** Answers what it was. */
export async function deleteContext(transaction: Transaction, name: string): Promise<ContextSummary | undefined> {
  const [row] = await transaction.query<ContextRow>(
    `delete from pattern.context where name = $1 returning ${columns}`,
    [name],
  );
  return row && toSummary(row);
}

function toSummary({ name, bytes, updated_at }: ContextRow): ContextSummary {
  return { name, bytes, updated_at: updated_at.toISOString() };
}
