import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appendReport, reportsOf } from './backup-reports.ts';
import { type BackupSetting, describe, keyOfBackup, openWithBases, progressOf, say } from './backup-setting.ts';
import type { Config } from './config.ts';
import { openAdmin } from './open-admin.ts';
import { migrationFolders } from './open-database.ts';
import { AppError } from './platform/app-error.ts';
import { type Comparison, compareRestored } from './platform/backup/compare-restored.ts';
import { restoreBackup } from './platform/backup/restore-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import { makeFolder } from './platform/make-folder.ts';
import { createServerLog } from './server-log.ts';

/**
 * Brings a backup back into a PostgreSQL of its own that is thrown away afterwards, compares all rows with those of the
 * backup, and writes down how long it took. Errors: `unavailable` when rows differ, and those of a restore.
 */
export async function runDrill(place: string, setting: BackupSetting): Promise<void> {
  const { config, given } = setting;
  const at = new Date(clock.now()).toISOString();
  const begun = clock.monotonic();
  const since = () => Math.round(clock.monotonic() - begun);
  try {
    const done = await tryOut(place, setting);
    const { tables, rows, different } = done.comparison;
    const facts = {
      ...describe(done.manifest),
      place,
      recovery_point_ms: clock.now() - Date.parse(done.manifest.snapshot_at),
      restore_ms: done.restoreMs,
      took_ms: since(),
      compared: done.comparison,
      left_out: done.left,
    };
    const ok = different.length === 0;
    await appendReport(config, { event: 'drill', at, ok, ...facts });
    if (!ok) {
      throw new AppError('unavailable', `After a restore these tables are not as they were: ${different.join(', ')}.`);
    }
    say(given, 'drill', { at, ok, ...facts }, [
      `${place} can be brought back: ${rows} rows of ${tables} tables, restored in ${inSeconds(done.restoreMs)}, and compared.`,
      `What was done after ${done.manifest.snapshot_at} would be lost.`,
      `The report is in ${reportsOf(config)}`,
    ]);
  } catch (error) {
    // One whose rows differ has its report.
    if (!(error instanceof AppError && error.message.startsWith('After a restore'))) {
      const why = error instanceof AppError ? error.message : 'see the output of the command';
      await appendReport(config, { event: 'drill', at, ok: false, place, took_ms: since(), error: why });
    }
    throw error;
  }
}

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

async function tryOut(place: string, setting: BackupSetting) {
  const { config, given, signal } = setting;
  const { log } = createServerLog(config, 'drill');
  const chain = await openWithBases(place, setting);
  const progress = progressOf(given);
  const folder = await makeDrillFolder(config.storage.data_dir);
  try {
    const admin = await openAdmin({ config: inFolder(config, folder), clock, log, signal });
    try {
      const begun = clock.monotonic();
      const left = await restoreBackup({
        connection: admin.connection,
        chain,
        kek: (head) => keyOfBackup(setting.keys, head),
        folders: migrationFolders,
        ...(admin.loginRole ? { loginRole: admin.loginRole } : {}),
        log,
        onProgress: (one) => {
          signal.throwIfAborted();
          progress.tell('Restoring', one, one.bytes / Math.max(one.expected, 1));
        },
      });
      const restoreMs = Math.round(clock.monotonic() - begun);
      const comparison: Comparison = await compareRestored(admin.connection, chain, {
        kek: (head) => keyOfBackup(setting.keys, head),
        leftOut: left,
        onTable: (table, share) => {
          signal.throwIfAborted();
          progress.tell('Comparing', { table, bytes: 0 }, share);
        },
      });
      return { manifest: chain.manifest, left, restoreMs, comparison };
    } finally {
      await admin.close();
    }
  } finally {
    progress.end();
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Beside the data, where there is room for them; the user that PostgreSQL runs as may pass through. */
async function makeDrillFolder(dataDir: string): Promise<string> {
  await makeFolder(dataDir);
  const folder = await mkdtemp(join(dataDir, 'drill-'));
  await chmod(folder, 0o711);
  return folder;
}

/** Never the operator's database: a drill must not reach what serves. */
function inFolder(config: Config, folder: string): Config {
  return { ...config, storage: { ...config.storage, data_dir: folder, database_url: undefined } };
}
