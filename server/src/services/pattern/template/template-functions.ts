/** What `{{plugin:text:...}}` can do to a value. */
export const textFunctions = {
  upper: (value: string) => value.toUpperCase(),
  lower: (value: string) => value.toLowerCase(),
  title: (value: string) => value.toLowerCase().replace(/(?<!\p{L})\p{L}(?!\s)/gu, (letter) => letter.toUpperCase()),
  trim: (value: string) => value.trim(),
} as const;
export type TextFunction = keyof typeof textFunctions;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** What `{{plugin:datetime:...}}` gives, from milliseconds since 1970, in UTC. `rel` stands apart: it takes a value. */
export const dateFunctions = {
  now: (at: number) => moment(at),
  time: (at: number) => new Date(at).toISOString().slice(11, 19),
  unix: (at: number) => String(Math.floor(at / second)),
  startofhour: (at: number) => moment(at - (at % hour)),
  endofhour: (at: number) => moment(at - (at % hour) + hour - second),
  today: (at: number) => date(at),
  full: (at: number) => fullDate.format(at),
  month: (at: number) => monthName.format(at),
  year: (at: number) => date(at).slice(0, 4),
  startofweek: (at: number) => date(at - new Date(at).getUTCDay() * day),
  // Fabric names the Sunday after as the end of a week; imported patterns count on it.
  endofweek: (at: number) => date(at + (7 - new Date(at).getUTCDay()) * day),
  startofmonth: (at: number) => `${date(at).slice(0, 8)}01`,
  endofmonth: (at: number) => date(Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() + 1, 0)),
} as const;
export type DateFunction = keyof typeof dateFunctions;

const clockUnits = { h: hour, m: minute, s: second } as const;
const clockSpan = /^([+-]?)((?:\d{1,7}(?:\.\d{1,6})?[hms]){1,3})$/;
const dateSpan = /^([+-]?\d{1,6})([dwy])$/;

/**
 * The time at a distance from `at`, for `rel`: `-90m`, `1h30m` give a time, `-2d`, `1w`, `1y` give a date.
 * `m` are minutes, as in Fabric. Undefined when the distance cannot be read or leaves the years 1 to 9999.
 */
export function relativeTime(at: number, distance: string): string | undefined {
  const clock = clockSpan.exec(distance);
  if (clock) {
    let span = 0;
    for (const [, amount, unit] of (clock[2] ?? '').matchAll(/([\d.]+)([hms])/g)) {
      span += Number(amount) * clockUnits[unit as keyof typeof clockUnits];
    }
    const then = Math.floor(at + (clock[1] === '-' ? -span : span));
    return inRange(then) ? moment(then) : undefined;
  }
  const match = dateSpan.exec(distance);
  if (!match) return undefined;
  const count = Number(match[1]);
  if (match[2] !== 'y') {
    const then = at + count * (match[2] === 'w' ? 7 * day : day);
    return inRange(then) ? date(then) : undefined;
  }
  const then = new Date(at);
  then.setUTCFullYear(then.getUTCFullYear() + count);
  return inRange(then.getTime()) ? date(then.getTime()) : undefined;
}

const firstMoment = Date.parse('0001-01-01T00:00:00Z');
const lastMoment = Date.parse('9999-12-31T23:59:59Z');
const inRange = (at: number) => at >= firstMoment && at <= lastMoment;

const moment = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
const date = (at: number) => new Date(at).toISOString().slice(0, 10);
const monthName = new Intl.DateTimeFormat('en-US', { month: 'long', timeZone: 'UTC' });
const fullDate = new Intl.DateTimeFormat('en-US', { dateStyle: 'full', timeZone: 'UTC' });
