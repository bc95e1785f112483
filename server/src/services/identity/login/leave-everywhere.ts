import type { EventName } from '@damask/contracts/events.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { TrailEntry } from '#platform/trail.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { enterWorkspace } from './login-store.ts';

/**
 * An audit row and an event in each of the workspaces: what an account does concerns all of which it is a member. The
 * transaction belongs to no workspace, before and after.
 */
export async function leaveEverywhere<Name extends EventName>(
  { trail }: Pick<IdentityParts, 'trail'>,
  transaction: Transaction,
  context: CallContext,
  workspaces: readonly string[],
  entry: TrailEntry<Name>,
): Promise<void> {
  for (const workspace of workspaces) {
    await enterWorkspace(transaction, workspace);
    await trail.leave(transaction, { ...context, workspace }, entry);
  }
  await enterWorkspace(transaction, null);
}
