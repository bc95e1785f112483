import type { Team, TeamMember } from '@damask/contracts/team.ts';
import type { Transaction } from '#platform/database/database.ts';

interface Row extends Omit<Team, 'created_at' | 'updated_at'> {
  readonly created_at: Date;
  readonly updated_at: Date;
}

const found = `select name, description, created_at, updated_at,
    (select count(*)::int from identity.team_member as m where m.team = team.name) as members from identity.team`;

/** By name. */
export async function listTeams(
  transaction: Transaction,
  page: { readonly after: string | null; readonly limit: number },
): Promise<Team[]> {
  const rows = await transaction.query<Row>(
    `${found} where $1::text is null or name collate "C" > $1 order by name collate "C" limit $2`,
    [page.after, page.limit],
  );
  return rows.map(toTeam);
}

export async function findTeam(transaction: Transaction, name: string): Promise<Team | undefined> {
  const [row] = await transaction.query<Row>(`${found} where name = $1`, [name]);
  return row && toTeam(row);
}

/** Locked until the transaction ends, so that it does not go while somebody is taken in. */
export async function lockTeam(transaction: Transaction, name: string): Promise<Team | undefined> {
  await transaction.query('select from identity.team where name = $1 for update', [name]);
  return findTeam(transaction, name);
}

/** How many there are; counts no further than `most`. */
export async function countTeams(transaction: Transaction, most: number): Promise<number> {
  const rows = await transaction.query(`select from identity.team limit ${most}`);
  return rows.length;
}

export async function putTeam(
  transaction: Transaction,
  team: { readonly workspace: string; readonly name: string; readonly description: string; readonly now: number },
): Promise<void> {
  await transaction.query(
    `insert into identity.team (workspace, name, description, created_at, updated_at) values ($1, $2, $3, $4, $4)
     on conflict (workspace, name) do update set description = excluded.description, updated_at = excluded.updated_at`,
    [team.workspace, team.name, team.description, new Date(team.now)],
  );
}

/** With its memberships. */
export async function deleteTeam(transaction: Transaction, name: string): Promise<void> {
  await transaction.query('delete from identity.team where name = $1', [name]);
}

/** By the id of the account. */
export function listTeamMembers(
  transaction: Transaction,
  page: { readonly team: string; readonly after: string | null; readonly limit: number },
): Promise<TeamMember[]> {
  return transaction.query<TeamMember>(
    `select a.id, a.name from identity.team_member as m join identity.account as a on a.id = m.account
      where m.team = $1 and ($2::uuid is null or m.account > $2) order by m.account limit $3`,
    [page.team, page.after, page.limit],
  );
}

/** How many teams a member is in, and whether this is one of them. */
export async function readMemberships(
  transaction: Transaction,
  team: string,
  account: string,
): Promise<{ readonly teams: number; readonly isIn: boolean }> {
  const [row] = await transaction.query<{ teams: number; isIn: boolean }>(
    `select count(*)::int as teams, coalesce(bool_or(team = $1), false) as "isIn"
       from identity.team_member where account = $2`,
    [team, account],
  );
  return row ?? { teams: 0, isIn: false };
}

export async function addTeamMember(
  transaction: Transaction,
  member: { readonly workspace: string; readonly team: string; readonly account: string; readonly now: number },
): Promise<void> {
  await transaction.query(
    'insert into identity.team_member (workspace, team, account, created_at) values ($1, $2, $3, $4)',
    [member.workspace, member.team, member.account, new Date(member.now)],
  );
}

/** False when the member was not in the team. */
export async function removeTeamMember(transaction: Transaction, team: string, account: string): Promise<boolean> {
  const rows = await transaction.query(
    'delete from identity.team_member where team = $1 and account = $2 returning team',
    [team, account],
  );
  return rows.length > 0;
}

function toTeam(row: Row): Team {
  return { ...row, created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() };
}
