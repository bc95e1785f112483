import type { Redaction } from '@damask/contracts/guard.ts';
import type { Transaction } from '#platform/database/database.ts';

/** Of all workspaces that have one; for the role `platform`. */
export async function readRedactions(transaction: Transaction): Promise<ReadonlyMap<string, Redaction>> {
  const rows = await transaction.query<{ workspace: string; rules: Redaction }>(
    'select workspace, rules from pattern.redaction limit 1000000',
  );
  const asking = rows.filter(({ rules }) => rules.kinds.length + rules.expressions.length > 0);
  return new Map(asking.map(({ workspace, rules }) => [workspace, rules]));
}

/** Of the transaction's workspace. */
export async function readRedaction(transaction: Transaction): Promise<Redaction | null> {
  const [row] = await transaction.query<{ rules: Redaction }>('select rules from pattern.redaction');
  return row?.rules ?? null;
}

/** False where it is that already. */
export async function saveRedaction(transaction: Transaction, workspace: string, rules: Redaction): Promise<boolean> {
  const rows = await transaction.query(
    `insert into pattern.redaction as r (workspace, rules) values ($1, $2)
     on conflict (workspace) do update set rules = excluded.rules where r.rules is distinct from excluded.rules
     returning 1`,
    [workspace, JSON.stringify(rules)],
  );
  return rows.length > 0;
}
