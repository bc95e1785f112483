import { AppError } from '#platform/app-error.ts';

// Names are shown in terminals and lists: nothing in them may move the cursor, hide or turn text round.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Refuses (`invalid_request`) a name that is blank or holds characters that cannot be seen. */
export function checkName(name: string): void {
  if (name.trim() !== '' && !unprintable.test(name)) return;
  throw new AppError('invalid_request', 'A name needs at least one visible character and no control characters.', {
    pointer: '/name',
  });
}
