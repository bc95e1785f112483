import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { makeFolder } from './platform/make-folder.ts';

/** What was done with a backup, for whoever must show that backups can be brought back. */
export interface BackupReport {
  readonly event: 'backup' | 'verified' | 'drill';
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly ok: boolean;
  readonly [fact: string]: unknown;
}

/** The file of the data folder that such reports are appended to, one JSON object a line. */
export const reportsOf = (config: Config): string => join(config.storage.data_dir, 'backup-reports.jsonl');

/** Resolves when the report is on the disk. */
export async function appendReport(config: Config, report: BackupReport): Promise<void> {
  await makeFolder(config.storage.data_dir);
  const file = await open(reportsOf(config), 'a', 0o600);
  try {
    await file.appendFile(`${JSON.stringify(report)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
