import type { Database, Transaction } from '#platform/database/database.ts';

export interface StoppedActor {
  readonly workspace: string;
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Keeps when they were stopped; of several times the last one. */
export async function keepStopped(
  transaction: Transaction,
  workspace: string,
  actors: readonly string[],
  at: Date,
): Promise<void> {
  await transaction.query(
    `insert into pattern.stopped_actor (workspace, actor, at) select $1, actor, $3 from unnest($2::uuid[]) as actor
     on conflict (workspace, actor) do update set at = greatest(pattern.stopped_actor.at, excluded.at)`,
    [workspace, actors, at],
  );
}

/** Those of all workspaces that were stopped since then; nothing waits longer than that. */
export async function loadStopped(database: Database, since: Date): Promise<StoppedActor[]> {
  const rows = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query<{ workspace: string; actor: string; at: Date }>(
      'select workspace, actor, at from pattern.stopped_actor where at > $1',
      [since],
    ),
  );
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}
