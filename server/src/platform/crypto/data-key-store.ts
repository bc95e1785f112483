import type { Database, Transaction } from '../database/database.ts';

/** Moves when a workspace has a new version of its data key, or none any more. */
export const dataKeysTopic = 'platform.data-keys';

export interface DataKeyRow {
  readonly version: number;
  /** Id of the key that wrapped it. */
  readonly kek: string;
  readonly wrapped: Buffer;
}

export interface NewestKey {
  /** Null where there is none. */
  readonly row: DataKeyRow | null;
  /** Keys of HMACs, sealed with it; null while the workspace has had one version only. */
  readonly index: Buffer | null;
  readonly shredded: boolean;
}

const scope = { role: 'platform', workspace: null };

export function readNewest(database: Pick<Database, 'transaction'>, workspace: string): Promise<NewestKey> {
  return database.transaction(scope, (transaction) => newestOf(transaction, workspace));
}

async function newestOf(transaction: Transaction, workspace: string): Promise<NewestKey> {
  const [found] = await transaction.query<{
    version: number | null;
    kek: string;
    wrapped: Buffer;
    index: Buffer | null;
    shredded: boolean;
  }>(
    `select k.version, k.kek, k.wrapped, i.sealed as index,
            exists (select from platform.shredded_workspace s where s.workspace = $1) as shredded
       from (select) as one
       left join lateral (select version, kek, wrapped from platform.data_key
                           where workspace = $1 order by version desc limit 1) k on true
       left join platform.index_key i on i.workspace = $1`,
    [workspace],
  );
  const { version = null, kek = '', wrapped, index = null, shredded = false } = found ?? {};
  return { row: version === null ? null : { version, kek, wrapped: wrapped as Buffer }, index, shredded };
}

/** The first version, unless another process was faster or the workspace was shredded. Answers what is there then. */
export function addFirst(
  database: Pick<Database, 'transaction'>,
  workspace: string,
  { kek, wrapped }: Omit<DataKeyRow, 'version'>,
): Promise<NewestKey> {
  return database.transaction(scope, async (transaction) => {
    await lockKeys(transaction, workspace);
    await transaction.query(
      `insert into platform.data_key (workspace, version, kek, wrapped)
       select $1, 1, $2, $3 where not exists (select from platform.shredded_workspace where workspace = $1)
       on conflict do nothing`,
      [workspace, kek, wrapped],
    );
    return newestOf(transaction, workspace);
  });
}

/** An older version, or undefined when it is gone. */
export async function readVersion(
  database: Pick<Database, 'transaction'>,
  workspace: string,
  version: number,
): Promise<DataKeyRow | undefined> {
  const [row] = await database.transaction(scope, (transaction) =>
    transaction.query<DataKeyRow>(
      'select version, kek, wrapped from platform.data_key where workspace = $1 and version = $2',
      [workspace, version],
    ),
  );
  return row;
}

/** Versions before this one that are still there. */
export async function readOlderVersions(
  database: Pick<Database, 'transaction'>,
  workspace: string,
  version: number,
): Promise<number[]> {
  const rows = await database.transaction(scope, (transaction) =>
    transaction.query<{ version: number }>(
      'select version from platform.data_key where workspace = $1 and version < $2 order by version',
      [workspace, version],
    ),
  );
  return rows.map((row) => row.version);
}

/** The newest version of each of these workspaces; one that has none any more is missing. */
export async function readVersions(
  database: Pick<Database, 'transaction'>,
  workspaces: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database.transaction(scope, (transaction) =>
    transaction.query<{ workspace: string; version: number }>(
      'select workspace, max(version) as version from platform.data_key where workspace = any($1) group by workspace',
      [workspaces],
    ),
  );
  return new Map(rows.map(({ workspace, version }) => [workspace, version]));
}

/** Who makes a key and who shreds go one after the other. Until the end of the transaction. */
export async function lockKeys(transaction: Transaction, workspace: string): Promise<void> {
  await transaction.query(`select pg_advisory_xact_lock(hashtextextended('damask data key ' || $1, 0))`, [workspace]);
}
