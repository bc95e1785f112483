import { AppError } from '#platform/app-error.ts';

/** What one request holds of the memory for bodies. */
export interface BodyShare {
  /** Counts `bytes` more. Throws `overloaded` when the requests together hold as much as they may. */
  take(bytes: number): void;
  release(): void;
}

/** Below this a body is free, so that whoever fills the budget stops large bodies only. */
export const freeBytes = 64 * 1024;

/**
 * Memory for the bodies of all requests that are being answered, in bytes. Each is kept until its request ends: without
 * a common bound a few hundred slow uploads, or runs on a slow model, fill the machine.
 */
export function createBodyBudget(budget: number): { open(): BodyShare } {
  let held = 0;
  return {
    open() {
      let size = 0;
      let counted = 0;
      return {
        take(bytes) {
          size += bytes;
          const more = Math.max(0, size - freeBytes) - counted;
          if (held + more > budget) throw tooMuch();
          counted += more;
          held += more;
        },
        release() {
          held -= counted;
          counted = 0;
        },
      };
    },
  };
}

function tooMuch(): AppError {
  return new AppError('overloaded', 'Too many large bodies are being answered. Try again in a second.', {
    retryAfterSeconds: 1,
  });
}
