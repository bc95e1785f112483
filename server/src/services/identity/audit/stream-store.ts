import type { Transaction } from '#platform/database/database.ts';

/** Where a new stream of these begins. */
export async function readNewestPosition(transaction: Transaction, of: 'entries' | 'checkpoints'): Promise<number> {
  const [row] = await transaction.query<{ position: string | null }>(
    of === 'entries'
      ? 'select max(position) as position from identity.audit_entry'
      : 'select max(position) as position from identity.audit_checkpoint',
  );
  return Number(row?.position ?? 0);
}
