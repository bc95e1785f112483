import type { Passkey } from '@damask/contracts/login.ts';
import type { Transaction } from '#platform/database/database.ts';

export interface StoredPasskey {
  readonly id: string;
  readonly account: string;
  readonly credential: string;
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: readonly string[];
}

interface ShownRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly used_at: Date | null;
}

const shown = 'id, name, created_at, used_at';

/** Newest first. */
export async function listPasskeys(transaction: Transaction, account: string): Promise<Passkey[]> {
  const rows = await transaction.query<ShownRow>(
    `select ${shown} from identity.passkey where account = $1 order by id desc limit 100`,
    [account],
  );
  return rows.map(toPasskey);
}

/** What a browser is told that it has already. */
export async function listCredentials(
  transaction: Transaction,
  account: string,
): Promise<{ id: string; transports: string[] }[]> {
  return transaction.query(
    'select credential as id, transports from identity.passkey where account = $1 order by id limit 100',
    [account],
  );
}

export async function findCredential(transaction: Transaction, credential: string): Promise<StoredPasskey | undefined> {
  const [row] = await transaction.query<Omit<StoredPasskey, 'counter'> & { counter: string }>(
    `select id, account, credential, public_key as "publicKey", counter, transports from identity.passkey
      where credential = $1`,
    [credential],
  );
  return row && { ...row, counter: Number(row.counter) };
}

/** Undefined when the credential is there already. */
export async function insertPasskey(
  transaction: Transaction,
  passkey: StoredPasskey & { readonly name: string; readonly now: number },
): Promise<Passkey | undefined> {
  const [row] = await transaction.query<ShownRow>(
    `insert into identity.passkey (id, account, credential, public_key, counter, transports, name, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (credential) do nothing returning ${shown}`,
    [
      passkey.id,
      passkey.account,
      passkey.credential,
      passkey.publicKey,
      passkey.counter,
      passkey.transports,
      passkey.name,
      new Date(passkey.now),
    ],
  );
  return row && toPasskey(row);
}

/** False when it was deleted, or has counted further meanwhile. */
export async function notePasskeyUse(
  transaction: Transaction,
  use: { id: string; counter: number; now: number },
): Promise<boolean> {
  const rows = await transaction.query(
    `update identity.passkey set counter = $2, used_at = $3
      where id = $1 and (counter < $2 or (counter = 0 and $2 = 0)) returning id`,
    [use.id, use.counter, new Date(use.now)],
  );
  return rows.length > 0;
}

export async function deletePasskey(
  transaction: Transaction,
  which: { id: string; account: string },
): Promise<Passkey | undefined> {
  const [row] = await transaction.query<ShownRow>(
    `delete from identity.passkey where id = $1 and account = $2 returning ${shown}`,
    [which.id, which.account],
  );
  return row && toPasskey(row);
}

/** False when it was used before. */
export async function useChallenge(transaction: Transaction, hash: string, expiresAt: number): Promise<boolean> {
  const rows = await transaction.query(
    'insert into identity.used_challenge (hash, expires_at) values ($1, $2) on conflict do nothing returning hash',
    [hash, new Date(expiresAt)],
  );
  return rows.length > 0;
}

function toPasskey(row: ShownRow): Passkey {
  return { ...row, created_at: row.created_at.toISOString(), used_at: row.used_at?.toISOString() ?? null };
}
