/**
 * Database roles. Each carries the database's name, since roles belong to the whole cluster.
 * `owner` owns the tables, `platform` reads process-wide tables, `journal` may only insert runs, `worker` takes queued runs,
 * `sealer` seals anew what older data keys sealed, `keeper` removes what is kept long enough; both in one workspace at a time.
 */
export const platformRoles = ['owner', 'platform', 'journal', 'worker', 'sealer', 'keeper'] as const;

export interface Roles {
  /** The real name of a role, or null in a database whose user may not make roles. */
  name(role: string): string | null;
  /** Puts real names where a migration says `damask_<role>`. */
  apply(sql: string): string;
}

const legal = /^[a-z_][a-z0-9_]{0,30}$/;

export function createRoles(database: string, separate: boolean, loginUser: string): Roles {
  const name = (role: string) => {
    if (!legal.test(role)) throw new Error(`Not a role name: ${role}`);
    return separate ? `${database}_${role}` : null;
  };
  return {
    name,
    apply: (sql) => sql.replace(/\bdamask_([a-z]+)\b/g, (_, role: string) => quoteName(name(role) ?? loginUser)),
  };
}

/** Quotes an identifier for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
