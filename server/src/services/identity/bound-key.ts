import type { identityOperations } from '@damask/contracts/identity.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { Permission } from '@damask/contracts/permissions.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { holdHolder, type KeyBounds } from './key-store.ts';
import { checkRolePassedOn, permissionsOfRole } from './role/pass-on-role.ts';
import { findServiceAccount } from './service-account/service-account-store.ts';

type Input = InputOf<typeof identityOperations.createKey>;

/**
 * What a new key may do and whose it is: never more than its maker, in any respect. Errors: `forbidden`,
 * `invalid_request`, `policy_refused`, `not_found` for a role or service account that there is not.
 */
export async function boundKey(transaction: Transaction, context: CallContext, input: Input): Promise<KeyBounds> {
  const { reach, actor } = context;
  const { role, service_account } = input;
  const scopes = once(input.scopes);
  const held = await checkRolePassedOn(transaction, context, role, scopes ?? undefined);
  const foreign = scopes?.findIndex((one) => !held.includes(one)) ?? -1;
  if (foreign >= 0) throw notOfRole(role, scopes?.[foreign] as Permission, foreign);
  const bounds = {
    scopes,
    patterns: within(reach.patterns, once(input.patterns), 'patterns'),
    environments: within(reach.environments, once(input.environments), 'environments'),
    requestsPerMinute: pace(reach.requestsPerMinute, input.requests_per_minute),
  };
  if (role === 'owner' && Object.values(bounds).some((bound) => bound !== null)) throw narrowOwner();
  if (service_account === undefined) {
    const { account: member = null, serviceAccount = null } = actor;
    // A key that is made while its holder goes would come back to life with them.
    if (!(await holdHolder(transaction, member, serviceAccount))) throw notFound();
    return { ...bounds, member, serviceAccount };
  }
  const account = await findServiceAccount(transaction, service_account);
  if (!account) throw notFound();
  const most = await permissionsOfRole(transaction, account.role);
  const beyond = role === 'owner' ? 'role:owner' : (scopes ?? held).find((one) => !most.includes(one));
  if (beyond !== undefined) throw beyondAccount(service_account, account.role, beyond);
  return { ...bounds, member: null, serviceAccount: account.id };
}

const once = <Item>(list: readonly Item[] | undefined) => (list === undefined ? null : [...new Set(list)]);

function within(
  own: readonly string[] | null,
  given: readonly string[] | null,
  field: 'patterns' | 'environments',
): readonly string[] | null {
  if (own === null) return given;
  const outside = given?.find((name) => !own.includes(name));
  if (outside === undefined) return given ?? own;
  throw new AppError(
    'forbidden',
    `A key can only pass on what it reaches itself, and ${outside} is not among its ${field}. Leave it out, or use another key.`,
    { need: `${field}:${outside}`, pointer: `/${field}` },
  );
}

function pace(own: number | null, given: number | undefined): number | null {
  if (own === null || (given !== undefined && given <= own)) return given ?? null;
  if (given === undefined) return own;
  throw new AppError(
    'forbidden',
    `A key can only pass on the pace it has itself: ${own} requests a minute. Give no more than that.`,
    { need: `requests_per_minute:${given}`, pointer: '/requests_per_minute' },
  );
}

function notOfRole(role: string, scope: string, at: number): AppError {
  return new AppError(
    'invalid_request',
    `The role ${role} does not hold ${scope}. Leave the scope out, or choose a role that holds it.`,
    { pointer: `/scopes/${at}` },
  );
}

function narrowOwner(): AppError {
  return new AppError(
    'invalid_request',
    'An owner key cannot be narrowed: it could make itself a whole one. Choose the role admin.',
    { pointer: '/role' },
  );
}

function beyondAccount(name: string, role: string, need: string): AppError {
  return new AppError(
    'policy_refused',
    `The service account ${name} has the role ${role}, which does not hold ${need}. Give the key a lower role or scopes.`,
    { pointer: '/role' },
  );
}
