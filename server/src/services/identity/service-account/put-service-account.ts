import type { InputOf } from '@damask/contracts/operation.ts';
import type { ServiceAccount, serviceAccountOperations } from '@damask/contracts/service-account.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { listKeysOf } from '../key-store.ts';
import { checkRolePassedOn, requireAsHigh, requireWholeReach } from '../role/pass-on-role.ts';
import { stopActors, stopsRuns } from '../stop-actors.ts';
import * as store from './service-account-store.ts';

/** All of them are in the memory of every process. */
const mostAccounts = 1_000;

export async function putServiceAccount(
  { database, clock, trail }: IdentityParts,
  context: CallContext,
  input: InputOf<(typeof serviceAccountOperations)['putServiceAccount']>,
): Promise<ServiceAccount> {
  const { workspace, actor } = context;
  const { service_account: name, role, description = '' } = input;
  requireWholeReach(context);
  if (role === 'owner') throw noOwner();
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const before = await store.lockServiceAccount(transaction, name);
    if (before && before.id === actor.serviceAccount) throw ownRole();
    const held = before ? await requireAsHigh(transaction, context, before.role) : [];
    const holds = await checkRolePassedOn(transaction, context, role);
    if (before && before.role === role && before.description === description) return before;
    if (!before && (await store.countServiceAccounts(transaction, mostAccounts)) >= mostAccounts) throw tooMany();
    await trail.look(transaction, `service-account/${name}`);
    const account = await store.putServiceAccount(transaction, {
      workspace,
      id: before?.id ?? clock.uuid(),
      name,
      description,
      role,
      createdBy: actor.kind === 'system' ? null : actor.id,
      now: clock.now(),
    });
    await trail.leave(transaction, context, {
      action: 'putServiceAccount',
      subject: `service-account/${name}`,
      details: { role, before: before?.role ?? null },
      event: 'identity.service-account-put',
      data: { service_account: name, role },
    });
    if (stopsRuns(held, holds)) {
      await stopActors(transaction, clock, context, [account.id, ...(await listKeysOf(transaction, account.id))]);
    }
    await bumpTopic(transaction, membersTopic);
    return account;
  });
}

function noOwner(): AppError {
  return new AppError('invalid_request', 'A service account cannot be an owner. Choose admin or a lower role.', {
    pointer: '/role',
  });
}

function ownRole(): AppError {
  return new AppError('forbidden', 'A service account does not change itself. Ask an admin or owner.', {
    need: 'another-member',
  });
}

function tooMany(): AppError {
  return new AppError(
    'policy_refused',
    `A workspace has ${mostAccounts} service accounts at most. Delete one that nobody needs first.`,
    { pointer: '/service_account' },
  );
}
