import { writeSync } from 'node:fs';
import { type Config, listSecrets } from './config.ts';
import { systemClock } from './platform/clock.ts';
import { createLog, type Log } from './platform/log.ts';
import { createRedact, type Redact } from './platform/redact.ts';

/** The process's log, on standard error; it knows the secrets of the configuration and never prints them. */
export function createServerLog(config: Config, name: string): { log: Log; redact: Redact } {
  const redact = createRedact(listSecrets(config));
  const log = createLog({ level: config.log.level, clock: systemClock, redact, write: writeError });
  return { log: log.with({ process: name }), redact };
}

/** A fault that nobody caught is written down; the requests of others go on. */
export function surviveSurprises(log: Log): void {
  process.on('unhandledRejection', (error) => log.error('A promise failed unnoticed', { error }));
  process.on('uncaughtException', (error) => log.error('An exception was not caught', { error }));
}

// A closed or full standard error must not take the platform down.
function writeError(line: string) {
  try {
    writeSync(2, line);
  } catch {
    // Nowhere is left to say it.
  }
}
