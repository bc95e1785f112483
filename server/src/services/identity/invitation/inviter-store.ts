import type { Permission, RoleRef } from '@damask/contracts/permissions.ts';
import type { Transaction } from '#platform/database/database.ts';

export type InviterKind = 'key' | 'member' | 'service_account';

/** Who invited, as they are now. */
export interface Inviter {
  readonly name: string;
  readonly role: RoleRef;
  /** What narrows a key; null does not narrow. */
  readonly scopes: readonly Permission[] | null;
  /** Role of the member or service account whose key it is; null for a key of nobody. */
  readonly holder: RoleRef | null;
}

const queries: Readonly<Record<InviterKind, string>> = {
  member: `select a.name, m.role, null as scopes, null as holder
    from identity.member as m join identity.account as a on a.id = m.account
   where m.account = $1 and m.removed_at is null and a.disabled_at is null and $2::timestamptz is not null`,
  service_account: `select name, role, null as scopes, null as holder
    from identity.service_account where id = $1 and $2::timestamptz is not null`,
  key: `select k.name, k.role, k.scopes, coalesce(m.role, s.role) as holder from identity.api_key as k
    left join (identity.member as m join identity.account as a on a.id = m.account)
      on m.account = k.member and m.removed_at is null and a.disabled_at is null
    left join identity.service_account as s on s.id = k.service_account
   where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
     and (k.member is null or m.account is not null) and (k.service_account is null or s.id is not null)`,
};

/** Undefined for one who is gone: removed, disabled, deleted, revoked or expired. Nothing is locked. */
export async function findInviter(
  transaction: Transaction,
  { kind, id, now }: { kind: InviterKind; id: string; now: number },
): Promise<Inviter | undefined> {
  const [row] = await transaction.query<Inviter>(queries[kind], [id, new Date(now)]);
  return row;
}
