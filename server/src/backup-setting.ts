import { createBackupProgress } from './backup-progress.ts';
import type { Config } from './config.ts';
import { type Manifest, sumUp } from './platform/backup/manifest.ts';
import type { Places } from './platform/backup/places.ts';
import { openChain } from './platform/backup/read-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import { type KeyEncryptionKey, loadKeyFile } from './platform/crypto/key-file.ts';

export type BackupCommand = 'backup' | 'backup-verify' | 'backup-show' | 'restore';

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
  readonly signal: AbortSignal;
}

/** Errors: `unavailable` when it is missing. */
export const keyOf = (config: Config) =>
  loadKeyFile({
    path: config.storage.key_file,
    allowCreate: false,
    missing: `The key file ${config.storage.key_file} is missing; backups are sealed with it. Put it back, point DAMASK_KEY_FILE to it, or bring it back with \`damask key import\`.`,
  });

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
export async function openWithBases(place: string, kek: KeyEncryptionKey, { given, places }: BackupSetting) {
  const bases = [];
  for (const base of given.bases) bases.push(await places.open(base));
  return openChain(await places.open(place), kek, bases);
}

/** What programs are told of a backup. */
export function describe(manifest: Manifest) {
  const { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases } = manifest;
  const facts = { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases };
  return { ...facts, ...sumUp(manifest) };
}
