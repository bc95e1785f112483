import { inBytes } from './backup-progress.ts';
import { appendReport, reportsOf } from './backup-reports.ts';
import { type BackupSetting, describe, keyOfBackup, openWithBases, progressOf, say } from './backup-setting.ts';
import { openBackup } from './platform/backup/backup-file.ts';
import { sumUp } from './platform/backup/manifest.ts';
import { readTables } from './platform/backup/read-backup.ts';
import { systemClock as clock } from './platform/clock.ts';

/** Reads everything that a restore would read, and checks it. */
export async function verifyBackup(place: string, setting: BackupSetting): Promise<void> {
  const { given } = setting;
  const chain = await openWithBases(place, setting);
  const progress = progressOf(given);
  try {
    const expected = sumUp(chain.manifest).bytes;
    let bytes = 0;
    for await (const { table, rows } of readTables(chain, (head) => keyOfBackup(setting.keys, head))) {
      for await (const block of rows) {
        bytes += block.length;
        setting.signal.throwIfAborted();
        progress.tell('Checking', { table: `${table.schema}.${table.name}`, bytes }, bytes / Math.max(expected, 1));
      }
    }
    progress.end();
    const facts = { place, ...describe(chain.manifest) };
    const reported = await appendReport(setting.config, {
      event: 'verified',
      at: new Date(clock.now()).toISOString(),
      ok: true,
      ...facts,
    }).then(
      () => true,
      () => false,
    );
    const sums = sumUp(chain.manifest);
    say(given, 'verified', { ...facts, reported }, [
      `${place} is whole: ${sums.rows} rows of ${sums.tables} tables as of ${chain.manifest.snapshot_at}, every digest right.`,
      ...(reported ? [] : [`The report could not be written to ${reportsOf(setting.config)}.`]),
    ]);
  } finally {
    progress.end();
    await chain.close();
  }
}

/** Says what a backup holds. */
export async function showBackup(place: string, { given, places, keys }: BackupSetting): Promise<void> {
  const source = await places.open(place);
  try {
    const { head, readManifest } = await openBackup(source);
    const manifest = await readManifest((key) => keyOfBackup(keys, key));
    const sums = sumUp(manifest);
    say(given, 'shown', { place, size: source.size, key: head.kek, ...describe(manifest), list: manifest.tables }, [
      `Backup       ${manifest.backup}, ${inBytes(source.size)}`,
      `Taken        ${manifest.snapshot_at}, done ${manifest.finished_at}`,
      `From         installation ${manifest.installation}, Damask ${manifest.damask}, PostgreSQL ${Math.floor(manifest.postgres / 10_000)}`,
      `Key          ${head.kek}`,
      `Holds        ${sums.rows} rows of ${sums.tables} tables, ${inBytes(sums.bytes)}`,
      ...Object.entries(manifest.bases).map(([id, name]) => `Needs        ${name} (${id})`),
      ...manifest.tables
        .filter(({ rows }) => rows > 0)
        .map(
          ({ schema, name, rows, held_by }) =>
            `  ${`${schema}.${name}`.padEnd(36)} ${rows}${held_by ? '  in the base' : ''}`,
        ),
    ]);
  } finally {
    await source.close();
  }
}
