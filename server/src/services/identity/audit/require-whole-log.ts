import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';

/** The log tells of everything in the workspace: a key that reaches a part of it does not read it. Errors: `forbidden`. */
export function requireWholeLog({ reach }: CallContext): void {
  if (reach.patterns === null && reach.environments === null) return;
  throw new AppError(
    'forbidden',
    'This key reaches some patterns or environments only, and the audit log tells of all. Use a key without these bounds.',
    { need: 'whole-workspace' },
  );
}
