import type { Clock } from './clock.ts';
import { type Redact, redactValue } from './redact.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

type Fields = Readonly<Record<string, unknown>>;

/** One line of JSON for each message; secrets are redacted, control bytes escaped, long fields cut. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  with(fields: Fields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (line: string) => void;
  readonly redact: Redact;
}

export function createLog(options: LogOptions, bound: Fields = {}): Log {
  const least = logLevels.indexOf(options.level);
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (logLevels.indexOf(level) < least) return;
      const record = { time: new Date(options.clock.now()).toISOString(), level, message, ...bound, ...fields };
      options.write(`${toLine(redactValue(record, options.redact))}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

// U+2028 and U+2029 end a line for some log readers although JSON allows them.
function toLine(record: unknown): string {
  return JSON.stringify(record).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
