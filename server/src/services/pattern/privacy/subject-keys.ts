import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { open, seal } from '#platform/crypto/seal.ts';
import type { Database } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import { keepSubjectKey, readSubjectKey, type SubjectKeyRow } from './subject-key-store.ts';

/**
 * Keys of data subjects. What is sealed with one is sealed once more by the vault, so whoever rotates the vault's keys need not
 * know of them; once its row is deleted, nobody can read it any more, from whatever copy it comes.
 */
export interface SubjectKeys {
  /** `subject` is its HMAC. Makes the key where the subject has none. */
  seal(of: { readonly workspace: string; readonly subject: string }, run: string, plain: Buffer): Promise<Buffer>;
  /** Errors: `payload_gone` when its key was deleted. */
  open(workspace: string, run: string, sealed: Buffer): Promise<Buffer>;
  /** Drops what is in memory: a key may have been deleted. */
  forget(): void;
}

/** In front of what is sealed with a key of a subject; JSON begins with another byte. */
const format = 1;
const headerLength = 1 + 16;
const mostInMemory = 1_000;
/** Milliseconds after which a key is read again even if nobody said that it was deleted. */
const keptFor = 600_000;

export const isOfSubject = (plain: Buffer): boolean => plain[0] === format;

interface HeldKey {
  readonly id: string;
  readonly key: KeyObject;
  readonly until: number;
}

/** What seals the key of a subject. */
export const subjectKeyPlace = (subject: string) => ({ table: 'pattern.subject_key', row: subject, column: 'wrapped' });

export function createSubjectKeys(parts: {
  database: Pick<Database, 'transaction'>;
  vault: Vault;
  clock: Clock;
}): SubjectKeys {
  const { database, vault, clock } = parts;
  /** By workspace and subject, and by workspace and id. */
  const held = new Map<string, HeldKey>();
  const textPlace = (workspace: string, run: string) => ({
    ...{ workspace, table: 'pattern.finished', row: run },
    column: 'payload of subject',
  });

  const find = (name: string): HeldKey | undefined => {
    const found = held.get(name);
    if (found === undefined || found.until > clock.monotonic()) return found;
    held.delete(name);
    return undefined;
  };

  const hold = async (workspace: string, row: SubjectKeyRow): Promise<HeldKey> => {
    const bytes = await vault.open(workspace, subjectKeyPlace(row.subject), row.wrapped);
    const key = { id: row.id, key: createSecretKey(bytes), until: clock.monotonic() + keptFor };
    while (held.size >= 2 * mostInMemory) held.delete(held.keys().next().value as string);
    held.set(`${workspace} ${row.subject}`, key);
    held.set(`${workspace} ${row.id}`, key);
    return key;
  };

  const keyOf = async (workspace: string, subject: string): Promise<HeldKey> => {
    const known = find(`${workspace} ${subject}`);
    if (known) return known;
    await vault.ready(workspace);
    const wrapped = await vault.seal(workspace, subjectKeyPlace(subject), randomBytes(32));
    return hold(workspace, await keepSubjectKey(database, workspace, { id: clock.uuid(), subject, wrapped }));
  };

  return {
    async seal({ workspace, subject }, run, plain) {
      const { id, key } = await keyOf(workspace, subject);
      const header = Buffer.concat([Buffer.from([format]), Buffer.from(id.replaceAll('-', ''), 'hex')]);
      return seal(key, textPlace(workspace, run), header, plain);
    },
    async open(workspace, run, sealed) {
      const id = toUuid(sealed.subarray(1, headerLength).toString('hex'));
      const known = find(`${workspace} ${id}`);
      const row = known ? undefined : await readSubjectKey(database, workspace, id);
      if (!known && !row) throw gone(run);
      const { key } = known ?? (await hold(workspace, row as SubjectKeyRow));
      try {
        return await open(key, textPlace(workspace, run), headerLength, sealed);
      } catch (cause) {
        throw doesNotOpen(run, cause);
      }
    },
    forget: () => held.clear(),
  };
}

const toUuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

function doesNotOpen(runId: string, cause: unknown): AppError {
  return new AppError(
    'unavailable',
    "The texts of this run cannot be decrypted: its end user's key is another one by now. Bring the keys back from a backup.",
    { runId, final: true },
    { cause },
  );
}

function gone(runId: string): AppError {
  return new AppError('payload_gone', 'The end user of this run was erased, and nobody can read its texts any more.', {
    runId,
  });
}
