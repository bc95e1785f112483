import {
  type BackupArguments,
  type BackupSetting,
  describe,
  keyOfBackup,
  openWithBases,
  progressOf,
  say,
} from './backup-setting.ts';
import type { Config } from './config.ts';
import { openAdmin } from './open-admin.ts';
import { migrationFolders } from './open-database.ts';
import { type Manifest, sumUp } from './platform/backup/manifest.ts';
import { restoreBackup } from './platform/backup/restore-backup.ts';
import { acknowledgeRestore } from './platform/backup/restore-state.ts';
import { systemClock as clock } from './platform/clock.ts';
import { createServerLog } from './server-log.ts';

/** Brings a backup back and says what is unknown then. */
export async function runRestore(place: string, setting: BackupSetting): Promise<void> {
  const { config, given, signal } = setting;
  const { log } = createServerLog(config, 'restore');
  const chain = await openWithBases(place, setting);
  const progress = progressOf(given);
  let left: readonly string[] = [];
  try {
    const admin = await openAdmin({ config, clock, log, signal });
    try {
      left = await restoreBackup({
        connection: admin.connection,
        chain,
        kek: (head) => keyOfBackup(setting.keys, head),
        folders: migrationFolders,
        ...(admin.loginRole ? { loginRole: admin.loginRole } : {}),
        log,
        onProgress: (at) => {
          signal.throwIfAborted();
          progress.tell('Restoring', at, at.bytes / Math.max(at.expected, 1));
        },
      });
      progress.end();
      if (given.acknowledge) await acknowledgeRestore(admin.connection);
    } finally {
      progress.end();
      await admin.close();
    }
    tellRestored(chain.manifest, left, given);
  } finally {
    await chain.close();
  }
}

function tellRestored(manifest: Manifest, left: readonly string[], given: BackupArguments): void {
  const { rows, tables } = sumUp(manifest);
  const last = Object.entries(manifest.last_ids).map(([table, id]) => `${table} ${id}`);
  const rowsOf = (name: string) => manifest.tables.find((table) => `${table.schema}.${table.name}` === name)?.rows ?? 0;
  const queued = rowsOf('pattern.task');
  say(given, 'restored', { ...describe(manifest), queued, left_out: left, acknowledged: given.acknowledge }, [
    `${rows} rows of ${tables} tables are back as of ${manifest.snapshot_at}.`,
    ...(left.length > 0 ? [`Left out, since Damask did not make them: ${left.join(', ')}.`] : []),
    'Unknown here is what was done after that: runs with newer ids, calls that were made and paid for them,',
    'keys made or revoked since. A key that was revoked since is valid again: revoke it again.',
    ...(last.length > 0 ? [`The newest ids: ${last.join(', ')}.`] : []),
    ...(queued > 0
      ? [
          `${queued} pieces of work were queued or under way. They go on when the platform starts, and may have been done already;`,
          'calls that were out at the snapshot count as uncertain. To look first, start with DAMASK_WORKER_SLOTS=0.',
        ]
      : []),
    given.acknowledge
      ? 'This is acknowledged; the platform may start.'
      : 'The platform starts when this is acknowledged: damask restore --acknowledge',
  ]);
}

/** Lets the platform start on data that were restored. */
export async function acknowledge(config: Config, given: BackupArguments): Promise<void> {
  const { log } = createServerLog(config, 'restore');
  const admin = await openAdmin({ config, clock, log });
  try {
    const done = await acknowledgeRestore(admin.connection);
    say(given, 'acknowledged', { acknowledged: done }, [
      done ? 'Acknowledged. The platform may start.' : 'There is no restore that waits to be acknowledged.',
    ]);
  } finally {
    await admin.close();
  }
}
