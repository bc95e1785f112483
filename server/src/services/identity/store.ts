import type { Workspace } from '@damask/contracts/identity.ts';
import type { Transaction } from '#platform/database/database.ts';

export async function insertWorkspace(
  transaction: Transaction,
  workspace: { id: string; name: string; createdAt: number },
): Promise<Workspace> {
  const { id, name, createdAt } = workspace;
  const at = new Date(createdAt);
  await transaction.query('insert into identity.workspace (workspace, name, created_at) values ($1, $2, $3)', [
    id,
    name,
    at,
  ]);
  return { id, name, created_at: at.toISOString() };
}

/** The workspace of the transaction. */
export async function findWorkspace(transaction: Transaction): Promise<Workspace | undefined> {
  const [row] = await transaction.query<{ id: string; name: string; created_at: Date }>(
    'select workspace as id, name, created_at from identity.workspace',
  );
  return row && { ...row, created_at: row.created_at.toISOString() };
}

export async function findInstance(transaction: Transaction): Promise<{ id: string; workspace: string | null }> {
  const [row] = await transaction.query<{ id: string; workspace: string | null }>(
    'select id, first_workspace as workspace from identity.instance',
  );
  if (!row) throw new Error('The row of identity.instance is missing');
  return row;
}

/** Makes `workspace` the first one. False when there is one; waits for another process that is just making it. */
export async function claimFirst(transaction: Transaction, workspace: string): Promise<boolean> {
  const rows = await transaction.query<{ id: string }>(
    'update identity.instance set first_workspace = $1 where first_workspace is null returning id',
    [workspace],
  );
  return rows.length > 0;
}
