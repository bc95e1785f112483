import { AppError } from '#platform/app-error.ts';
import type { Reach } from '#platform/call.ts';

/** Whether a caller reaches all of its workspace. */
export const isWhole = ({ patterns, environments }: Reach): boolean => patterns === null && environments === null;

/** Whether a name is one of these; null is all names. */
export const within = (names: readonly string[] | null, name: string): boolean =>
  names === null || names.includes(name);

/** Whether runs of this pattern in this environment are for the caller; without one, only for who reaches all of them. */
export function isReached(
  { patterns, environments }: Reach,
  pattern: string,
  environment: string | null | undefined,
): boolean {
  return within(patterns, pattern) && (environments === null || environments.includes(environment ?? ''));
}

/** Errors: `forbidden` for who reaches a part of the workspace only. */
export function requireWholeReach(reach: Reach): void {
  if (isWhole(reach)) return;
  throw new AppError(
    'forbidden',
    'This key reaches some patterns or environments only, and what you ask for goes beyond them. Use another key.',
    { need: 'reach:all' },
  );
}
