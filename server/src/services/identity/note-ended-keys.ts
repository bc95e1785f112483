import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { Trail } from '#platform/trail.ts';

/** Keys that end with their holder: the audit log tells of each, as if it had been revoked. */
export async function noteEndedKeys(
  trail: Trail,
  transaction: Transaction,
  context: CallContext,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) {
    await trail.note(transaction, context, { action: 'revokeKey', subject: `key/${key}`, details: { with: 'holder' } });
  }
}
