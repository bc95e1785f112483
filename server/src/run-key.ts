import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { auditKeyFileOf } from './audit-settings.ts';
import type { Config } from './config.ts';
import { openAdmin } from './open-admin.ts';
import { openKeys } from './open-keys.ts';
import { AppError } from './platform/app-error.ts';
import { systemClock as clock } from './platform/clock.ts';
import { loadKeyFile, placeKeyFile, rotateKeyFile } from './platform/crypto/key-file.ts';
import { openRecoveryFile, sealKeyFile } from './platform/crypto/recovery-file.ts';
import { replaceDataKeys } from './platform/crypto/replace-keys.ts';
import { countWrapped, rewrapDataKeys } from './platform/crypto/rewrap-keys.ts';
import { rotateSigningKey } from './platform/crypto/signing-keys.ts';
import { type KeySource, keySources } from './platform/crypto/wrapping-key.ts';
import { createEgress } from './platform/egress/egress.ts';
import { createServerLog } from './server-log.ts';

export type KeyCommand = 'key-export' | 'key-import' | 'key-replace' | 'key-rotate' | 'audit-rotate-key';

/** Commands about the key file. Errors: `invalid_request`, `already_exists`, `in_use`, `unavailable`. */
export async function runKey(
  command: KeyCommand,
  config: Config,
  given: { path: string | undefined; lost: boolean; to?: string | undefined },
) {
  const path = config.storage.key_file;
  if (command === 'key-replace') return replace(config, given.lost);
  if (command === 'key-rotate') return rotate(config, given.to);
  if (command === 'audit-rotate-key') return rotateAuditKey(auditKeyFileOf(config));
  if (given.path === undefined) {
    throw new AppError('invalid_request', 'Name the recovery file: damask key export damask-recovery.txt');
  }
  if (command === 'key-export') await exportKey(path, given.path);
  else await importKey(path, given.path);
}

async function rotateAuditKey(path: string): Promise<void> {
  const { id, from } = await rotateSigningKey(path, clock.now());
  process.stdout.write(
    `The key ${id} signs the checkpoints of the audit log from ${from} on; of the one before only the public half stays in ${path}.\n`,
  );
}

async function exportKey(keyFile: string, path: string): Promise<void> {
  const missing = `The key file ${keyFile} is missing. Start the platform once, which makes it, or set DAMASK_KEY_FILE.`;
  const { text, code } = sealKeyFile(await loadKeyFile({ path: keyFile, allowCreate: false, missing }));
  const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'it is there already; give another name' : error.message;
    throw new AppError('already_exists', `${path} cannot be written: ${reason}.`, {}, { cause: error });
  });
  await handle.writeFile(text);
  await handle.sync();
  await handle.close();
  process.stdout.write(
    `${code}\nThis is the recovery code of ${path}, shown once. Write it down, and keep it away from that file and from the backups.\n`,
  );
}

async function importKey(keyFile: string, path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new AppError('invalid_request', `${path} cannot be read: ${error.message}.`, {}, { cause: error });
  });
  const { id, bytes } = openRecoveryFile(text, await readCode());
  await placeKeyFile(keyFile, bytes);
  process.stdout.write(`The key ${id} is back in ${keyFile}.\n`);
}

/** The first line of the standard input. Hidden from nobody: whoever sits there holds the paper, too. */
async function readCode(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Recovery code: ');
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    throw new AppError('invalid_request', 'Give the recovery code on the standard input.');
  } finally {
    lines.close();
  }
}

async function replace(config: Config, lost: boolean): Promise<void> {
  const { key_file: path } = config.storage;
  if (!lost) {
    throw new AppError(
      'invalid_request',
      'This is for a key file that is lost for good: inputs, outputs, contexts, sessions and provider keys that were stored with it can never be read again. `damask key import` brings a key back. To go on without it: damask key replace --lost',
    );
  }
  const { log } = createServerLog(config, 'key-replace');
  const admin = await openAdmin({ config, clock, log });
  const egress = createEgress({ allow: config.egress.allow, clock });
  try {
    if (config.encryption.key_source === 'file') await loadKeyFile({ path, allowCreate: true });
    const keys = openKeys({ config, egress, clock });
    const { id } = await keys.current();
    const count = await replaceDataKeys(admin.connection, keys);
    process.stdout.write(
      `${count} workspaces have new keys, under the key ${id}. Texts that were stored before cannot be read any more.\nEnter the keys of providers again (\`damask providers add\`), and take a copy of the key: damask key export.\n`,
    );
  } finally {
    await Promise.all([admin.close(), egress.close()]);
  }
}

/** Wraps all data keys by another key while the platform runs; begun again after a kill it goes on where it was. */
async function rotate(config: Config, to: string | undefined): Promise<void> {
  const target = to ?? config.encryption.key_source;
  if (!keySources.includes(target as KeySource)) {
    throw new AppError('invalid_request', `--to takes one of ${keySources.join(', ')}, not '${target}'.`);
  }
  const source = target as KeySource;
  const { log } = createServerLog(config, 'key-rotate');
  const admin = await openAdmin({ config, clock, log, beside: true });
  const egress = createEgress({ allow: config.egress.allow, clock });
  try {
    const keys = openKeys({ config, egress, clock });
    let oldPath: string | undefined;
    if (source === 'file' && config.encryption.key_source === 'file') {
      const { id } = await keys.of('file');
      const wrapped = await countWrapped(admin.connection);
      // Another key beside it: an earlier rotation did not come to its end. That one is finished first.
      if (Object.keys(wrapped).every((kek) => kek === id)) ({ oldPath } = await rotateKeyFile(config.storage.key_file));
    }
    const key = await keys.of(source);
    const report = await rewrapDataKeys({
      connection: admin.connection,
      keys,
      target: key,
      onProgress: ({ done, total }) => {
        if (done === total || done % 100 === 0) process.stderr.write(`${done} of ${total} data keys\n`);
      },
    });
    tellRotated(config, source, key.id, report, oldPath);
  } finally {
    await Promise.all([admin.close(), egress.close()]);
  }
}

function tellRotated(
  config: Config,
  source: KeySource,
  id: string,
  { rewrapped, verified, unreachable }: Awaited<ReturnType<typeof rewrapDataKeys>>,
  oldPath: string | undefined,
): void {
  const lost = Object.entries(unreachable);
  const lines = [
    `${verified} data keys are wrapped by ${id}, and each was opened with it. ${rewrapped} were wrapped by another key before.`,
    ...lost.map(
      ([kek, count]) =>
        `${count} are still wrapped by ${kek}, which is not at hand. Set what leads to that key, and run this again.`,
    ),
    ...(source === config.encryption.key_source
      ? []
      : [
          `Set DAMASK_KEY_SOURCE=${source} and restart every process; then run this once more, for workspaces that were made meanwhile.`,
        ]),
    ...(oldPath === undefined
      ? []
      : [
          `The old key is in ${oldPath}. Backups that were taken until now need it: keep it, away from here, as long as those.`,
          'Delete it to make them unreadable. Take a copy of the new key: damask key export',
        ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (lost.length > 0) process.exitCode = 1;
}
