import { UsageError } from './usage-error.ts';

/** Reads a number that a flag was given; undefined stays undefined. */
export function numberFlag(name: string, text: string | undefined, whole = false): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    throw new UsageError(`--${name} takes a ${whole ? 'whole ' : ''}number, not '${text}'.`);
  }
  return value;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a duration such as `30`, `30s`, `500ms`, `5m`, `2h`, `7d`; a bare number is seconds. Answers milliseconds. */
export function durationFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`--${name} takes a time such as 30s, 5m or 2h, not '${text}'.`);
  return Math.round(Number(count) * (units[unit ?? 's'] ?? 1_000));
}
