import { basename } from 'node:path';
import { createBackupProgress, inBytes } from './backup-progress.ts';
import type { Config } from './config.ts';
import { openAdmin } from './open-admin.ts';
import { migrationFolders } from './open-database.ts';
import { AppError } from './platform/app-error.ts';
import { openBackup } from './platform/backup/backup-file.ts';
import { type Manifest, sumUp } from './platform/backup/manifest.ts';
import { openPlaces } from './platform/backup/places.ts';
import { openChain, readTables } from './platform/backup/read-backup.ts';
import { restoreBackup } from './platform/backup/restore-backup.ts';
import { acknowledgeRestore } from './platform/backup/restore-state.ts';
import { writeBackup } from './platform/backup/write-backup.ts';
import { systemClock as clock } from './platform/clock.ts';
import { type KeyEncryptionKey, loadKeyFile } from './platform/crypto/key-file.ts';
import { createServerLog } from './server-log.ts';
import { version } from './version.ts';

export type BackupCommand = 'backup' | 'backup-verify' | 'backup-show' | 'restore';

export interface BackupArguments {
  readonly place: string | undefined;
  readonly bases: readonly string[];
  readonly json: boolean;
  readonly acknowledge: boolean;
}

/** Commands that take, read or bring back a backup. Errors: `invalid_request`, `in_use`, `already_exists`, `unavailable`. */
export async function runBackup(command: BackupCommand, config: Config, given: BackupArguments): Promise<void> {
  if (command === 'restore' && given.place === undefined && given.acknowledge) return acknowledge(config, given);
  const { place } = given;
  if (place === undefined) throw new AppError('invalid_request', usages[command]);
  const places = openPlaces(config.backup, clock);
  try {
    if (command === 'backup') await takeBackup(place, { config, given, places });
    else if (command === 'restore') await restore(place, { config, given, places });
    else if (command === 'backup-verify') await verify(place, { config, given, places });
    else await show(place, { config, given, places });
  } finally {
    await places.close();
  }
}

const usages: Readonly<Record<BackupCommand, string>> = {
  backup: 'Name the file to write, or s3://bucket/prefix: damask backup damask.backup',
  'backup-verify': 'Name the backup to check: damask backup verify damask.backup',
  'backup-show': 'Name the backup to show: damask backup show damask.backup',
  restore: 'Name the backup to bring back: damask restore damask.backup',
};

interface Setting {
  readonly config: Config;
  readonly given: BackupArguments;
  readonly places: ReturnType<typeof openPlaces>;
}

const keyOf = (config: Config) =>
  loadKeyFile({
    path: config.storage.key_file,
    allowCreate: false,
    missing: `The key file ${config.storage.key_file} is missing; backups are sealed with it. Put it back, point DAMASK_KEY_FILE to it, or bring it back with \`damask key import\`.`,
  });

const progressOf = ({ json }: BackupArguments) =>
  createBackupProgress({
    json,
    terminal: process.stderr.isTTY === true,
    write: (text) => (json ? process.stdout : process.stderr).write(text),
    monotonic: () => clock.monotonic(),
  });

function say({ json }: BackupArguments, event: string, fields: object, sentences: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify({ event, ...fields })}\n` : `${sentences.join('\n')}\n`);
}

async function takeBackup(place: string, { config, given, places }: Setting): Promise<void> {
  const { log } = createServerLog(config, 'backup');
  const kek = await keyOf(config);
  const base = given.bases.length > 0 ? await readBase(given.bases, kek, places) : undefined;
  const name = `damask-${new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
  const destination = await places.create(place, name);
  const progress = progressOf(given);
  const admin = await openAdmin({ config, clock, log, beside: true }).catch(async (error: unknown) => {
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
      onProgress: (at) => progress.tell('Backing up', at, at.bytes / Math.max(at.expected, 1)),
    });
    progress.end();
    const sums = sumUp(manifest);
    const held = sums.tables - sums.own_tables;
    say(given, 'backup', { place: destination.name, written, ...describe(manifest) }, [
      `${destination.name}: ${sums.rows} rows of ${sums.tables} tables as of ${manifest.snapshot_at}, ${inBytes(written)}.`,
      ...(held > 0 ? [`${held} partitions are in ${Object.values(manifest.bases).join(', ')}: keep it.`] : []),
      `It opens with the key file ${config.storage.key_file} only: keep a copy of that elsewhere.`,
    ]);
  } finally {
    progress.end();
    await admin.close();
  }
}

async function readBase(bases: readonly string[], kek: KeyEncryptionKey, places: Setting['places']) {
  if (bases.length > 1) throw new AppError('invalid_request', 'A backup has one base: the newest one.');
  const source = await places.open(bases[0] as string);
  try {
    return { manifest: await (await openBackup(source)).readManifest(kek), name: basename(source.name) };
  } finally {
    await source.close();
  }
}

async function openWithBases(place: string, kek: KeyEncryptionKey, { given, places }: Setting) {
  const bases = [];
  for (const base of given.bases) bases.push(await places.open(base));
  return openChain(await places.open(place), kek, bases);
}

async function restore(place: string, setting: Setting): Promise<void> {
  const { config, given } = setting;
  const { log } = createServerLog(config, 'restore');
  const kek = await keyOf(config);
  const chain = await openWithBases(place, kek, setting);
  const progress = progressOf(given);
  try {
    const admin = await openAdmin({ config, clock, log, beside: true });
    try {
      await restoreBackup({
        connection: admin.connection,
        chain,
        kek,
        folders: migrationFolders,
        ...(admin.loginRole ? { loginRole: admin.loginRole } : {}),
        log,
        onProgress: (at) => progress.tell('Restoring', at, at.bytes / Math.max(at.expected, 1)),
      });
      progress.end();
      if (given.acknowledge) await acknowledgeRestore(admin.connection);
    } finally {
      progress.end();
      await admin.close();
    }
    tellRestored(chain.manifest, given);
  } finally {
    await chain.close();
  }
}

function tellRestored(manifest: Manifest, given: BackupArguments): void {
  const { rows, tables } = sumUp(manifest);
  const last = Object.entries(manifest.last_ids).map(([table, id]) => `${table} ${id}`);
  const rowsOf = (name: string) => manifest.tables.find((table) => `${table.schema}.${table.name}` === name)?.rows ?? 0;
  const queued = rowsOf('pattern.task');
  say(given, 'restored', { ...describe(manifest), queued, acknowledged: given.acknowledge }, [
    `${rows} rows of ${tables} tables are back as of ${manifest.snapshot_at}.`,
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

async function acknowledge(config: Config, given: BackupArguments): Promise<void> {
  const { log } = createServerLog(config, 'restore');
  const admin = await openAdmin({ config, clock, log, beside: true });
  try {
    const done = await acknowledgeRestore(admin.connection);
    say(given, 'acknowledged', { acknowledged: done }, [
      done ? 'Acknowledged. The platform may start.' : 'There is no restore that waits to be acknowledged.',
    ]);
  } finally {
    await admin.close();
  }
}

async function verify(place: string, setting: Setting): Promise<void> {
  const { config, given } = setting;
  const kek = await keyOf(config);
  const chain = await openWithBases(place, kek, setting);
  const progress = progressOf(given);
  try {
    const expected = sumUp(chain.manifest).bytes;
    let bytes = 0;
    for await (const { table, rows } of readTables(chain, kek)) {
      for await (const block of rows) {
        bytes += block.length;
        progress.tell('Checking', { table: `${table.schema}.${table.name}`, bytes }, bytes / Math.max(expected, 1));
      }
    }
    progress.end();
    const sums = sumUp(chain.manifest);
    say(given, 'verified', { place, ...describe(chain.manifest) }, [
      `${place} is whole: ${sums.rows} rows of ${sums.tables} tables as of ${chain.manifest.snapshot_at}, every digest right.`,
    ]);
  } finally {
    progress.end();
    await chain.close();
  }
}

async function show(place: string, { config, given, places }: Setting): Promise<void> {
  const source = await places.open(place);
  try {
    const { head, readManifest } = await openBackup(source);
    const manifest = await keyOf(config).then(readManifest);
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

function describe(manifest: Manifest) {
  const { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases } = manifest;
  const facts = { backup, installation, epoch, damask, postgres, snapshot_at, finished_at, last_ids, bases };
  return { ...facts, ...sumUp(manifest) };
}
