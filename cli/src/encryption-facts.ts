import type { Encryption } from '@damask/sdk';
import { formatCount, formatTime } from './figures.ts';
import type { Terminal } from './terminal.ts';

const sources = {
  file: 'key file',
  environment: 'DAMASK_KEY',
  vault: 'HashiCorp Vault',
  aws: 'AWS KMS',
} as const;

/** Prints what wraps the keys of a workspace, their versions and the last rotation. */
export async function printEncryption(terminal: Terminal, encryption: Encryption): Promise<void> {
  const { key, versions, due_at: due, rotation } = encryption;
  const line = (word: string, text: string) => terminal.print(`${terminal.paint('dim', word.padEnd(9))} ${text}`);
  const version = key.version === null ? '' : `, its version ${key.version}`;
  const state = key.healthy ? '' : `. ${terminal.paint('red', 'It cannot be used now: see the log of the server.')}`;
  await line('Wrapped', `by ${key.id} (${sources[key.source]}${version})${state}`);
  for (const [at, one] of versions.entries()) {
    const other = one.wrapped_by === key.id ? '' : `, wrapped by ${one.wrapped_by}`;
    await line(at === 0 ? 'Versions' : '', `${one.version} of ${formatTime(one.created_at)}${other}`);
  }
  if (due !== null) {
    const late = Date.parse(due) <= Date.now();
    await line(
      'Next',
      late ? terminal.paint('red', `is due since ${formatTime(due)}: damask key rotate`) : `is due ${formatTime(due)}`,
    );
  }
  if (rotation) await line('Rotation', describe(rotation));
}

function describe(rotation: NonNullable<Encryption['rotation']>): string {
  const { version, state, finished_at, rows, rows_left, rows_failed, rows_per_second, ends_at } = rotation;
  const failed = rows_failed === 0 ? '' : `; ${formatCount(rows_failed)} do not open, so older versions stay`;
  if (finished_at !== null) return `to version ${version}, done ${formatTime(finished_at)}${failed}`;
  const end = ends_at === null ? '' : `, about until ${formatTime(ends_at)}`;
  if (state === 'waiting') return `to version ${version}: all is sealed anew; one more look follows${end}${failed}`;
  if (rows === 0) return `to version ${version}: it has begun`;
  const rate = rows_per_second === null ? '' : `, ${formatCount(Math.round(rows_per_second))} a second`;
  return `to version ${version}: ${formatCount(rows_left)} of ${formatCount(rows)} rows left${rate}${end}${failed}`;
}
