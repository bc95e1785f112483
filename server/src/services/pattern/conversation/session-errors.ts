import { sessionLimit } from '@damask/contracts/session.ts';
import { AppError } from '#platform/app-error.ts';

/** Nothing is left out of a conversation without being told. */
export function tooLong(pointer: string): AppError {
  return new AppError(
    'session_too_long',
    `A session has at most ${sessionLimit.turns} turns and ${sessionLimit.bytes / 1024 / 1024} MiB. ` +
      'Go on in a new session, or put a shorter conversation into this one.',
    { pointer },
  );
}

/** Refuses a session that has no room for another question and its answer. */
export function refuseLong({ turns, bytes }: { readonly turns: number; readonly bytes: number }): void {
  if (turns + 2 > sessionLimit.turns || bytes > sessionLimit.bytes) throw tooLong('/session');
}

/** The second of two runs would not know what the first one says. */
export function busy(): AppError {
  return new AppError(
    'session_busy',
    'Another run is under way in this session. Wait until it has ended, or use another session.',
    { pointer: '/session', retryAfterSeconds: 1 },
  );
}
