import type { Transaction } from '#platform/database/database.ts';
import type { SubjectState } from '#platform/trail.ts';

/** What of each kind decides who may do what: names and times of use do not. */
const kinds: Readonly<Record<string, string>> = {
  key: `select 'key/' || id as subject, jsonb_build_object('role', role, 'hash', hash, 'scopes', scopes, 'patterns', patterns,
      'environments', environments, 'requests_per_minute', requests_per_minute, 'member', member,
      'service_account', service_account, 'expires_at', extract(epoch from expires_at), 'revoked', revoked_at is not null) as state
    from identity.api_key where $1::text is null or id::text = $1`,
  member: `select 'member/' || account as subject, jsonb_build_object('role', role) as state
    from identity.member where removed_at is null and ($1::text is null or account::text = $1)`,
  role: `select 'role/' || name as subject, jsonb_build_object('permissions', permissions) as state
    from identity.custom_role where $1::text is null or name = $1`,
  'service-account': `select 'service-account/' || name as subject, jsonb_build_object('id', id, 'role', role) as state
    from identity.service_account where $1::text is null or name = $1`,
  'identity-provider': `select 'identity-provider/' || name as subject, jsonb_build_object('id', id, 'issuer', issuer,
      'client_id', client_id, 'has_secret', client_secret is not null, 'algorithm', algorithm, 'scopes', scopes,
      'groups_claim', groups_claim, 'roles', roles, 'default_role', default_role, 'email_domains', email_domains,
      'sso_only', sso_only, 'audience', audience, 'machines', machines) as state
    from identity.identity_provider where $1::text is null or name = $1`,
};

/** What a subject of the audit log is now: null where there is none, undefined for a kind that is not kept so. */
export async function readState(transaction: Transaction, subject: string): Promise<object | null | undefined> {
  const slash = subject.indexOf('/');
  const text = kinds[subject.slice(0, slash)];
  if (slash < 0 || text === undefined) return undefined;
  const [row] = await transaction.query<SubjectState>(text, [subject.slice(slash + 1)]);
  return row?.state ?? null;
}

/** All that there is of these kinds in the transaction's workspace. */
export async function listStates(transaction: Transaction): Promise<SubjectState[]> {
  const lists: SubjectState[][] = [];
  for (const text of Object.values(kinds)) lists.push(await transaction.query<SubjectState>(text, [null]));
  return lists.flat();
}

export const statesOfIdentity = { kinds: Object.keys(kinds), read: readState, list: listStates };
