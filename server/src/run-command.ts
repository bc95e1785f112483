import { parseArgs } from 'node:util';
import { type Announce, createAnnounce } from './announce.ts';
import type { BackupCommand } from './backup-setting.ts';
import { type Config, describeConfig, readConfig } from './config.ts';
import { AppError } from './platform/app-error.ts';
import { systemClock } from './platform/clock.ts';
import type { KeyCommand } from './run-key.ts';
import { createServerLog, surviveSurprises } from './server-log.ts';

const usage = `usage: main.ts serve [--json] [--services gateway,pattern,...] [--config FILE]
       main.ts migrate [--contract] | check-config | model-pull [--json] | owner-key
       main.ts backup PLACE [--base PLACE] | backup-verify PLACE | backup-drill PLACE | backup-show PLACE [--json]
       main.ts restore [PLACE] [--base PLACE] [--acknowledge] [--json]
       main.ts key-export FILE | key-import FILE | key-replace --lost | key-rotate [--to SOURCE]
       main.ts workspace-shred ID --confirm NAME | audit-rotate-key
       main.ts --help
`;

/** What the process was started for. Ends the process with 0, 1 for a failure, 2 for a call that cannot be understood. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(argv);
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const [command = 'serve'] = positionals;
  const announce = createAnnounce({
    json: values.json === true,
    write: (text) => process.stdout.write(text),
    terminal: process.stdout.isTTY === true,
  });
  // Whoever read our output may have left; the platform goes on.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  try {
    if (command === 'companion') {
      const { serveCompanion } = await import('./serve-companion.ts');
      await serveCompanion();
      return;
    }
    const config = readConfig({ file: values.config });
    if (command === 'serve') await runServer(config, values.services?.split(',') ?? null, announce);
    else if (command === 'check-config') process.stdout.write(`${JSON.stringify(describeConfig(config), null, 2)}\n`);
    else if (command === 'migrate' || command === 'model-pull' || command === 'owner-key') {
      const { runOnce } = await import('./run-once.ts');
      await runOnce(command, config, announce, values.contract === true);
      process.exit(0);
    } else if (command === 'workspace-shred') {
      const { shredWorkspace } = await import('./run-shred.ts');
      await shredWorkspace(config, positionals[1], values.confirm);
      process.exit(0);
    } else if (isKeyCommand(command)) {
      const { runKey } = await import('./run-key.ts');
      await runKey(command, config, { path: positionals[1], lost: values.lost === true, to: values.to });
      process.exit();
    } else if (isBackupCommand(command)) {
      const { runBackup } = await import('./run-backup.ts');
      const { json = false, base: bases = [], acknowledge = false } = values;
      await runBackup(command, config, { place: positionals[1], bases, json, acknowledge });
      process.exit(0);
    } else {
      process.stderr.write(usage);
      process.exit(2);
    }
  } catch (error) {
    reportAndExit(error, announce);
  }
}

const isKeyCommand = (command: string): command is KeyCommand =>
  ['key-export', 'key-import', 'key-replace', 'key-rotate', 'audit-rotate-key'].includes(command);

const isBackupCommand = (command: string): command is BackupCommand =>
  ['backup', 'backup-verify', 'backup-show', 'backup-drill', 'restore'].includes(command);

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        services: { type: 'string' },
        config: { type: 'string' },
        contract: { type: 'boolean' },
        base: { type: 'string', multiple: true },
        acknowledge: { type: 'boolean' },
        lost: { type: 'boolean' },
        to: { type: 'string' },
        confirm: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // What Node adds is how to pass a file whose name begins with a dash.
    const [what] = (error as Error).message.split('. ');
    process.stderr.write(`${what}\n${usage}`);
    process.exit(2);
  }
}

async function runServer(config: Config, services: readonly string[] | null, announce: Announce) {
  const { log, redact } = createServerLog(config, services?.join('+') ?? 'edge');
  surviveSurprises(log);
  const abort = new AbortController();
  const { serve } = await import('./serve.ts');
  const starting = serve({ config, log, redact, announce, services, signal: abort.signal });
  let first: number | undefined;
  const onSignal = () => {
    const now = systemClock.monotonic();
    // One Ctrl-C can reach us twice: from the terminal and from whoever started us.
    if (first !== undefined && now - first < 700) return;
    if (first === undefined) {
      first = now;
      announce.stopping();
      abort.abort(new AppError('unavailable', 'The start was interrupted.'));
      void starting.then(
        async (serving) => {
          await serving?.stop(config.http.drain_ms);
          process.exit(0);
        },
        () => process.exit(0),
      );
    } else {
      // The database recovers by itself, and the next start takes it over.
      void starting.then((serving) => serving?.stop(0)).catch(() => undefined);
      systemClock.after(1_500, () => process.exit(1));
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // A command that started us for itself, and was killed. One that told us to stop does not hurry us by leaving.
  process.once('disconnect', () => first === undefined && onSignal());
  const serving = await starting;
  if (!serving && first === undefined) process.exit(0);
}

// What the system refuses is the operator's to mend, and a stack does not help with that; the rest is ours.
function describe(error: unknown): string {
  const { syscall, message, stack } = error as NodeJS.ErrnoException;
  return syscall === undefined ? (stack ?? String(error)) : `${message}.`;
}

function reportAndExit(error: unknown, announce: Announce): never {
  const known = error instanceof AppError;
  const message = known ? error.message : `The platform could not start: ${describe(error)}`;
  announce.error(known ? error.code : 'internal', message);
  process.exit(known && error.code === 'invalid_request' ? 2 : 1);
}
