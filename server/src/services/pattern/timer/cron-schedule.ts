import { Cron } from 'croner';
import { AppError } from '#platform/app-error.ts';

/** When a timer ticks. Times are milliseconds since 1970. */
export interface CronSchedule {
  /** The first tick after a time; null: there is none. */
  next(after: number): number | null;
  /** The newest ticks that are no later than `until` and no earlier than `from`, oldest first; `most` of them. */
  between(from: number, until: number, most: number): number[];
}

const nicknames = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly']);

/**
 * Reads a cron of five fields or a nickname in a time zone. A time that the clocks skip in spring ticks when they have moved,
 * one that comes twice in autumn ticks once. Errors: `invalid_request` with the field.
 */
export function readCron(cron: string, timeZone: string): CronSchedule {
  if (!isTimeZone(timeZone)) {
    throw new AppError('invalid_request', `There is no time zone "${timeZone}". Write one as Europe/Berlin, or UTC.`, {
      pointer: '/time_zone',
    });
  }
  const fields = cron.trim().split(/\s+/);
  const nickname = fields.length === 1 && nicknames.has(cron.trim().toLowerCase());
  if (!nickname && fields.length !== 5) {
    throw invalidCron(`it has ${fields.length} fields, and five are needed: minute, hour, day, month, day of the week`);
  }
  const parsed = parse(cron.trim(), timeZone);
  return {
    next: (after) => parsed.nextRun(new Date(after))?.getTime() ?? null,
    between(from, until, most) {
      // What comes before is asked for, so the last millisecond itself counts only with the next one.
      const newest = parsed.previousRuns(most, new Date(until + 1)).map((date) => date.getTime());
      return newest.filter((time) => time >= from).reverse();
    },
  };
}

function parse(cron: string, timeZone: string): Cron {
  try {
    return new Cron(cron, { timezone: timeZone, mode: '5-part', paused: true });
  } catch (error) {
    const reason = (error as Error).message.replace(/^Cron\w+: /, '').replace(/\.$/, '');
    throw invalidCron(reason.charAt(0).toLowerCase() + reason.slice(1));
  }
}

function invalidCron(reason: string): AppError {
  return new AppError(
    'invalid_request',
    `This cron cannot be read: ${reason}. "30 6 * * 1-5" is half past six on working days.`,
    { pointer: '/cron' },
  );
}

function isTimeZone(name: string): boolean {
  // Offsets such as +02:00 would pass, too; they know no summer time, which is what a zone is for.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
