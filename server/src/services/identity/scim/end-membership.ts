import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic, membersTopic } from '../identity-parts.ts';
import { hasOtherOwner } from '../key-store.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { lockMember, removeMember } from '../member/member-store.ts';
import { noteEndedKeys } from '../note-ended-keys.ts';
import { stopActors } from '../stop-actors.ts';

/**
 * Ends a membership with its keys, teams, login sessions, queued runs and open streams. Whoever has ended already stays
 * so. Errors: `policy_refused` for the last owner.
 */
export async function endMembership(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  account: string,
): Promise<void> {
  const { workspace } = context;
  const now = clock.now();
  const member = await lockMember(transaction, account);
  if (!member) return;
  if (member.role === 'owner' && !(await hasOtherOwner(transaction, account, now))) throw lastOwner();
  await trail.look(transaction, `member/${account}`);
  const keys = await removeMember(transaction, account, now);
  await trail.leave(transaction, context, {
    action: 'removeMember',
    subject: `member/${account}`,
    details: { role: member.role, keys, by: 'scim' },
    event: 'identity.member-removed',
    data: { account },
  });
  await noteEndedKeys(trail, transaction, context, keys);
  await stopActors(transaction, clock, context, [account, ...keys]);
  await bumpTopic(transaction, membersTopic);
  if (keys.length > 0) await bumpTopic(transaction, keysTopic);
  await endLoginSessions(transaction, { account, workspace, now });
}

export function lastOwner(): AppError {
  return new AppError(
    'policy_refused',
    'This is the last owner; without one nobody could manage the workspace. Make somebody else an owner first.',
  );
}
