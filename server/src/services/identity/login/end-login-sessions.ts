import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { loginSessionsTopic } from './login-parts.ts';
import { enterWorkspace, revokeSessions } from './login-store.ts';

/**
 * Ends all login sessions of an account within a transaction of a workspace, which goes on as before: when its role
 * changes, it is removed or disabled. Holds at every edge within a second, and for open streams within 5.
 */
export async function endLoginSessions(
  transaction: Transaction,
  { account, workspace, now }: { account: string; workspace: string | null; now: number },
): Promise<void> {
  await enterWorkspace(transaction, null);
  const ended = await revokeSessions(transaction, { account, now });
  await enterWorkspace(transaction, workspace);
  if (ended > 0) await bumpTopic(transaction, loginSessionsTopic);
}
