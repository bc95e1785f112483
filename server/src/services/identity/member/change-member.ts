import type { Member, memberOperations } from '@damask/contracts/member.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, keysTopic, membersTopic } from '../identity-parts.ts';
import { hasOtherOwner, listKeysOf } from '../key-store.ts';
import { endLoginSessions } from '../login/end-login-sessions.ts';
import { noteEndedKeys } from '../note-ended-keys.ts';
import { checkRolePassedOn, requireAsHigh, requireWholeReach } from '../role/pass-on-role.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import * as store from './member-store.ts';

type Contract = typeof memberOperations;

/** Nobody changes their own role, and nobody that of one who holds more. */
export async function changeMember(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { member: account, role }: InputOf<Contract['changeMember']>,
): Promise<Member> {
  const { workspace, actor } = context;
  requireWholeReach(context);
  if (actor.account === account) throw ownRole();
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const member = await store.lockMember(transaction, account);
    if (!member) throw notFound();
    const before = await requireAsHigh(transaction, context, member.role);
    const after = await checkRolePassedOn(transaction, context, role);
    if (member.role === role) return member;
    if (member.role === 'owner' && !(await hasOtherOwner(transaction, account, clock.now()))) throw lastOwner();
    await trail.look(transaction, `member/${account}`);
    await store.setMemberRole(transaction, account, role);
    await trail.leave(transaction, context, {
      action: 'changeMember',
      subject: `member/${account}`,
      details: { role, before: member.role },
      event: 'identity.member-changed',
      data: { account, role },
    });
    if (stopsRuns(before, after)) {
      await stopActors(transaction, clock, context, [account, ...(await listKeysOf(transaction, account))]);
    }
    await bumpTopic(transaction, membersTopic);
    await endLoginSessions(transaction, { account, workspace, now: clock.now() });
    return { ...member, role };
  });
}

/** Who holds no less may end a membership; everybody may end their own. */
export async function removeMember(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  { member: account }: InputOf<Contract['removeMember']>,
): Promise<Member> {
  const { workspace, actor } = context;
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const member = await store.lockMember(transaction, account);
    if (!member) throw notFound();
    if (actor.account !== account) await requireAsHigh(transaction, context, member.role);
    if (member.role === 'owner' && !(await hasOtherOwner(transaction, account, clock.now()))) throw lastOwner();
    await trail.look(transaction, `member/${account}`);
    const keys = await store.removeMember(transaction, account, clock.now());
    await trail.leave(transaction, context, {
      action: 'removeMember',
      subject: `member/${account}`,
      details: { role: member.role, keys },
      event: 'identity.member-removed',
      data: { account },
    });
    await noteEndedKeys(trail, transaction, context, keys);
    await stopActors(transaction, clock, context, [account, ...keys]);
    await bumpTopic(transaction, membersTopic);
    if (keys.length > 0) await bumpTopic(transaction, keysTopic);
    return member;
  });
}

function ownRole(): AppError {
  return new AppError('forbidden', 'Nobody changes their own role. Ask another admin or owner.', {
    need: 'another-member',
  });
}

function lastOwner(): AppError {
  return new AppError(
    'policy_refused',
    'This is the last owner; without one nobody could manage the workspace. Make somebody else an owner first.',
  );
}
