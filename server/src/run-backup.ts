import { basename } from 'node:path';
import { inBytes } from './backup-progress.ts';
import { appendReport } from './backup-reports.ts';
import {
  type BackupArguments,
  type BackupCommand,
  type BackupSetting,
  describe,
  keyForBackup,
  keyOfBackup,
  progressOf,
  say,
} from './backup-setting.ts';
import type { Config } from './config.ts';
import { showBackup, verifyBackup } from './inspect-backup.ts';
import { openAdmin } from './open-admin.ts';
import { type ConfiguredKeys, openKeys } from './open-keys.ts';
import { AppError } from './platform/app-error.ts';
import { openBackup } from './platform/backup/backup-file.ts';
import { sumUp } from './platform/backup/manifest.ts';
import { noteBackup } from './platform/backup/note-backup.ts';
import { openPlaces, type Places } from './platform/backup/places.ts';
import { writeBackup } from './platform/backup/write-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import { isTransient, sqlState } from './platform/database/database.ts';
import { createEgress } from './platform/egress/egress.ts';
import { runDrill } from './run-drill.ts';
import { acknowledge, runRestore } from './run-restore.ts';
import { createServerLog } from './server-log.ts';
import { version } from './version.ts';

/** Commands that take, read or bring back a backup. Errors: `invalid_request`, `in_use`, `already_exists`, `unavailable`. */
export async function runBackup(command: BackupCommand, config: Config, given: BackupArguments): Promise<void> {
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort(new AppError('unavailable', 'It was interrupted; nothing of it is kept.'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    await carryOut(command, config, given, interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? interrupted.signal.reason : explain(error);
  }
}

/** The database's own words are of use here: whoever calls is its operator. */
function explain(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const state = sqlState(error);
  const { message } = error as Error;
  if (state !== undefined) {
    const advice = state.startsWith('53')
      ? 'Give it more room, and try again.'
      : 'Check that the user may read all of Damask, and for a restore that it may make schemas; then try again.';
    return new AppError('unavailable', `The database refused (${state}): ${message}. ${advice}`, {}, { cause: error });
  }
  const { syscall = '' } = error as NodeJS.ErrnoException;
  if (/^(open|mkdir|rename|stat|chmod|chown|unlink|copyfile)$/.test(syscall)) {
    return new AppError('unavailable', `${message}. Check that place, and try again.`, {}, { cause: error });
  }
  if (!isTransient(error)) return error;
  return new AppError(
    'unavailable',
    `The database went away or cannot be reached: ${message}. Check that it runs, and try again.`,
    {},
    { cause: error },
  );
}

async function carryOut(command: BackupCommand, config: Config, given: BackupArguments, signal: AbortSignal) {
  if (command === 'restore' && given.place === undefined && given.acknowledge) return acknowledge(config, given);
  const { place } = given;
  if (place === undefined) throw new AppError('invalid_request', usages[command]);
  const places = openPlaces(config.backup, clock);
  const egress = createEgress({ allow: config.egress.allow, clock });
  const setting: BackupSetting = { config, given, places, keys: openKeys({ config, egress, clock }), signal };
  try {
    if (command === 'backup') await takeBackup(place, setting);
    else if (command === 'restore') await runRestore(place, setting);
    else if (command === 'backup-verify') await verifyBackup(place, setting);
    else if (command === 'backup-drill') await runDrill(place, setting);
    else await showBackup(place, setting);
  } finally {
    await Promise.all([places.close(), egress.close()]);
  }
}

const usages: Readonly<Record<BackupCommand, string>> = {
  backup: 'Name the file to write, or s3://bucket/prefix: damask backup damask.backup',
  'backup-verify': 'Name the backup to check: damask backup verify damask.backup',
  'backup-drill': 'Name the backup to bring back for a trial: damask backup drill damask.backup',
  'backup-show': 'Name the backup to show: damask backup show damask.backup',
  restore: 'Name the backup to bring back: damask restore damask.backup',
};

async function takeBackup(place: string, { config, given, places, keys, signal }: BackupSetting): Promise<void> {
  const { log } = createServerLog(config, 'backup');
  const kek = await keyForBackup(keys);
  const base = given.bases.length > 0 ? await readBase(given.bases, keys, places) : undefined;
  const name = `damask-${new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
  const destination = await places.create(place, name);
  const progress = progressOf(given);
  const admin = await openAdmin({ config, clock, log, signal, beside: true }).catch(async (error: unknown) => {
    await destination.abort();
    throw error;
  });
  try {
    const { manifest, written } = await writeBackup({
      connection: admin.connection,
      destination,
      kek,
      clock,
      damask: version,
      ...(base ? { base } : {}),
      onProgress: (at) => {
        signal.throwIfAborted();
        progress.tell('Backing up', at, at.bytes / Math.max(at.expected, 1));
      },
    });
    progress.end();
    await noteBackup(admin.connection, clock, { backup: manifest.backup, place: destination.name }).catch(
      (error: unknown) => log.warn('The audit log could not be told of this backup', { error }),
    );
    const facts = { place: destination.name, written, ...describe(manifest) };
    await appendReport(config, { event: 'backup', at: manifest.finished_at, ok: true, ...facts }).catch(
      (error: unknown) => log.warn('The report of this backup could not be written', { error }),
    );
    const sums = sumUp(manifest);
    const held = sums.tables - sums.own_tables;
    say(given, 'backup', facts, [
      `${destination.name}: ${sums.rows} rows of ${sums.tables} tables as of ${manifest.snapshot_at}, ${inBytes(written)}.`,
      ...(held > 0 ? [`${held} partitions are in ${Object.values(manifest.bases).join(', ')}: keep it.`] : []),
      kek.wrapped === undefined
        ? `It opens with the key ${kek.id} only: keep a copy of that elsewhere.`
        : `It opens only while the key ${kek.id} is there and answers.`,
    ]);
  } finally {
    progress.end();
    await admin.close();
  }
}

async function readBase(bases: readonly string[], keys: ConfiguredKeys, places: Places) {
  if (bases.length > 1) throw new AppError('invalid_request', 'A backup has one base: the newest one.');
  const source = await places.open(bases[0] as string);
  try {
    return {
      manifest: await (await openBackup(source)).readManifest((head) => keyOfBackup(keys, head)),
      name: basename(source.name),
    };
  } finally {
    await source.close();
  }
}
