import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { insertMember } from '../member/member-store.ts';
import { applyRoles, readRoleMap } from './directory-role.ts';
import { endMembership } from './end-membership.ts';
import { fillTeams } from './scim-group-store.ts';
import * as store from './scim-user-store.ts';

/** Ends every membership of a person: this account's, and those of others that have one of its addresses. */
export async function endPerson(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  account: string,
  others: readonly string[] = [],
): Promise<void> {
  const all = new Set([...others, ...(await store.findSamePerson(transaction, account))]);
  await endMembership(parts, transaction, context, account);
  for (const other of all) await endMembership(parts, transaction, context, other);
  await store.keepEndedWith(transaction, account, [...all]);
}

/**
 * Makes a person a member again. One whom an identity provider vouches for is what they were; of others the directory's
 * groups say what they are from now on. Keys and login sessions stay ended.
 */
export async function restorePerson(
  parts: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  account: string,
): Promise<void> {
  const { clock, trail } = parts;
  const { workspace } = context;
  const now = clock.now();
  const others = await store.restoreEndedWith(transaction, account);
  if (!(await store.restoreMember(transaction, account))) {
    const role = (await readRoleMap(transaction)).roleOf([]);
    await insertMember(transaction, { workspace, account, role, source: 'scim', createdBy: null, now });
    await applyRoles(parts, transaction, context, [account]);
  }
  await fillTeams(transaction, { workspace, accounts: [account], now });
  for (const one of [account, ...others]) {
    await trail.leave(transaction, context, {
      action: 'addMember',
      subject: `member/${one}`,
      details: { by: 'scim' },
      event: 'identity.member-added',
      data: { account: one, role: (await store.roleOf(transaction, one)) ?? 'viewer' },
    });
  }
  await bumpTopic(transaction, membersTopic);
}
