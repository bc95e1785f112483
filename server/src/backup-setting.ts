import { createSecretKey, randomBytes } from 'node:crypto';
import { createBackupProgress } from './backup-progress.ts';
import type { Config } from './config.ts';
import type { ConfiguredKeys } from './open-keys.ts';
import type { BackupHead } from './platform/backup/backup-file.ts';
import { type Manifest, sumUp } from './platform/backup/manifest.ts';
import type { Places } from './platform/backup/places.ts';
import { openChain } from './platform/backup/read-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import type { KeyEncryptionKey } from './platform/crypto/key-file.ts';
import { installation } from './platform/vault.ts';

export type BackupCommand = 'backup' | 'backup-verify' | 'backup-show' | 'backup-drill' | 'restore';

export interface BackupArguments {
  readonly place: string | undefined;
  readonly bases: readonly string[];
  readonly json: boolean;
  readonly acknowledge: boolean;
}

/** What every command about backups works with. */
export interface BackupSetting {
  readonly config: Config;
  readonly given: BackupArguments;
  readonly places: Places;
  readonly keys: ConfiguredKeys;
  readonly signal: AbortSignal;
}

// No data key has this version: what was wrapped for a backup opens nothing else.
const ofBackups = { workspace: installation, version: 0 };

/** What a new backup is sealed with: the key of this machine, or a fresh one that its keeper wrapped. Errors: `unavailable`. */
export async function keyForBackup(keys: ConfiguredKeys): Promise<KeyEncryptionKey & { readonly wrapped?: string }> {
  const { id, wrap } = await keys.current();
  const local = await keys.local(id);
  if (local) return local;
  const bytes = randomBytes(32);
  return { id, key: createSecretKey(bytes), wrapped: (await wrap(ofBackups, bytes)).toString('base64') };
}

/** Finds what a backup was sealed with; undefined when that is not at hand. Errors: `unavailable`. */
export async function keyOfBackup(keys: ConfiguredKeys, head: BackupHead): Promise<KeyEncryptionKey | undefined> {
  if (head.wrapped === undefined) return keys.local(head.kek);
  const keeper = await keys.find(head.kek);
  if (!keeper) return undefined;
  const bytes = await keeper.unwrap(ofBackups, Buffer.from(head.wrapped, 'base64'));
  return { id: head.kek, key: createSecretKey(bytes) };
}

/** On a terminal, and for programs on the standard output. */
export const progressOf = ({ json }: BackupArguments) =>
  createBackupProgress({
    json,
    terminal: process.stderr.isTTY === true,
    write: (text) => (json ? process.stdout : process.stderr).write(text),
    monotonic: () => clock.monotonic(),
  });

/** The outcome: sentences for people, one JSON object for programs. */
export function say({ json }: BackupArguments, event: string, fields: object, sentences: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify({ event, ...fields })}\n` : `${sentences.join('\n')}\n`);
}

/** Opens a backup, with the bases that were named. */
export async function openWithBases(place: string, { given, places, keys }: BackupSetting) {
  const bases = [];
  for (const base of given.bases) bases.push(await places.open(base));
  return openChain(await places.open(place), (head) => keyOfBackup(keys, head), bases);
}

/** What programs are told of a backup. */
export function describe(manifest: Manifest) {
  const { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases } = manifest;
  const facts = { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases };
  return { ...facts, ...sumUp(manifest) };
}
