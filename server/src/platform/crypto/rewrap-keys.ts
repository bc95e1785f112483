import type pg from 'pg';
import { AppError } from '../app-error.ts';
import { becomeOwner, withConnection } from '../database/own-connection.ts';
import { checkWrapped, type KeyRing, type WrappingKey, wrapChecked } from './wrapping-key.ts';

export interface RewrapReport {
  /** Data keys that are wrapped by the target now, each opened with it. */
  readonly verified: number;
  readonly rewrapped: number;
  /** Data keys whose wrapping key is not at hand, by its id. They stay as they are. */
  readonly unreachable: Readonly<Record<string, number>>;
}

const page = 100;
// What other processes made while this went on is taken up in the next pass.
const mostPasses = 5;

/**
 * Wraps every data key by the target, while the platform runs. Each is opened with the target before its row changes, and all
 * are at the end; so killed at any moment it can be begun again. Errors: `unavailable` when a keeper fails, or a key does not open.
 */
export function rewrapDataKeys(options: {
  connection: pg.ClientConfig;
  keys: KeyRing;
  target: WrappingKey;
  onProgress?: (progress: { done: number; total: number }) => void;
}): Promise<RewrapReport> {
  const { connection, keys, target, onProgress } = options;
  return withConnection(connection, async (client) => {
    await lookAsOwner(client);
    let rewrapped = 0;
    for (let pass = 1; ; pass++) {
      const changed = await rewrapAll(client, keys, target, pass === 1, onProgress);
      rewrapped += changed;
      if (changed === 0 || pass === mostPasses) break;
    }
    return { rewrapped, ...(await verifyAll(client, target)) };
  });
}

/** How many data keys each key wraps, by its id. Errors: `unavailable` when there is no Damask here. */
export function countWrapped(connection: pg.ClientConfig): Promise<Readonly<Record<string, number>>> {
  return withConnection(connection, async (client) => {
    await lookAsOwner(client);
    const { rows } = await client.query<{ kek: string; count: number }>(
      'select kek, count(*)::int as count from platform.data_key group by kek order by kek',
    );
    return Object.fromEntries(rows.map(({ kek, count }) => [kek, count]));
  });
}

async function lookAsOwner(client: pg.Client) {
  if (!(await becomeOwner(client, 'platform.data_key', 'connection'))) {
    throw new AppError('unavailable', 'There is no Damask in this database. Nothing needs a key yet.');
  }
  await client.query(`set damask.role = 'owner'`);
}

interface Row {
  readonly workspace: string;
  readonly version: number;
  readonly kek: string;
  readonly wrapped: Buffer;
}

async function* rowsOf(client: pg.Client): AsyncGenerator<Row> {
  let after: Pick<Row, 'workspace' | 'version'> = { workspace: '00000000-0000-0000-0000-000000000000', version: 0 };
  for (;;) {
    const { rows } = await client.query<Row>(
      `select workspace, version, kek, wrapped from platform.data_key
        where (workspace, version) > ($1, $2) order by workspace, version limit $3`,
      [after.workspace, after.version, page],
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < page) return;
    after = last;
  }
}

async function rewrapAll(
  client: pg.Client,
  keys: KeyRing,
  target: WrappingKey,
  first: boolean,
  onProgress: ((progress: { done: number; total: number }) => void) | undefined,
): Promise<number> {
  const { rows } = await client.query<{ total: number }>('select count(*)::int as total from platform.data_key');
  const total = rows[0]?.total ?? 0;
  let done = 0;
  let changed = 0;
  for await (const row of rowsOf(client)) {
    // A key that its keeper turned itself is brought to its newest version, once.
    const same = row.kek === target.id;
    if (!same || (first && target.source !== 'file' && target.source !== 'environment')) {
      const wrapped = same ? await rewrapChecked(target, row) : await wrapAnew(keys, target, row);
      if (wrapped && (await keep(client, row, target.id, wrapped)) && !same) changed += 1;
    }
    done += 1;
    onProgress?.({ done, total });
  }
  return changed;
}

async function wrapAnew(keys: KeyRing, target: WrappingKey, row: Row): Promise<Buffer | undefined> {
  const old = await keys.find(row.kek);
  if (!old) return undefined;
  const bytes = await old.unwrap(row, row.wrapped);
  return wrapChecked(target, row, bytes).finally(() => bytes.fill(0));
}

/** What the keeper itself brought to its newest version takes the place of the only copy, so it is opened before. */
async function rewrapChecked(target: WrappingKey, row: Row): Promise<Buffer> {
  const bytes = await target.unwrap(row, row.wrapped);
  try {
    const wrapped = await target.rewrap(row, row.wrapped);
    await checkWrapped(target, row, wrapped, bytes);
    return wrapped;
  } finally {
    bytes.fill(0);
  }
}

async function keep(client: pg.Client, { workspace, version, wrapped: old }: Row, kek: string, wrapped: Buffer) {
  const { rowCount } = await client.query(
    'update platform.data_key set kek = $1, wrapped = $2 where workspace = $3 and version = $4 and wrapped = $5',
    [kek, wrapped, workspace, version, old],
  );
  return rowCount === 1;
}

async function verifyAll(client: pg.Client, target: WrappingKey): Promise<Omit<RewrapReport, 'rewrapped'>> {
  const unreachable: Record<string, number> = {};
  let verified = 0;
  for await (const row of rowsOf(client)) {
    if (row.kek !== target.id) unreachable[row.kek] = (unreachable[row.kek] ?? 0) + 1;
    else {
      (await target.unwrap(row, row.wrapped)).fill(0);
      verified += 1;
    }
  }
  return { verified, unreachable };
}
