import { durationFlag } from './number-flag.ts';
import { UsageError } from './usage-error.ts';

/** Reads a date, or how long back: `2026-11-22`, `2h`, `7d`. Answers RFC 3339, UTC. */
export function timeFlag(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^[\d.]+(ms|s|m|h|d)$/.test(text)) return new Date(Date.now() - (durationFlag(name, text) ?? 0)).toISOString();
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new UsageError(`--${name} takes a date such as 2026-11-22 or a time back such as 2h.`);
  return at.toISOString();
}
