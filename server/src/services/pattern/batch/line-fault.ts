import { type AppError, toAppError } from '#platform/app-error.ts';

/** Why a line cannot be run. Texts of the line itself stay out of `detail` but for single characters and names of fields. */
export interface LineFault {
  /** In the upload, from 1. */
  readonly line: number;
  /** Character in the line (UTF-16 units), from 1; null where the whole line is meant. */
  readonly column: number | null;
  readonly code: string;
  /** Field of the line. */
  readonly pointer: string | null;
  readonly detail: string;
}

/** A fault of what a line is written in: it could not be read at all. */
export function unreadable(line: number, column: number | null, detail: string): LineFault {
  return { line, column, code: 'invalid_line', pointer: null, detail };
}

/** What a check of a run said about a line. */
export function faultOfError(line: number, error: unknown, column: number | null = null): LineFault {
  const failure: AppError = toAppError(error);
  if (failure.code === 'internal') throw error;
  const { pointer = null, problems = [] } = failure.details;
  // Where several fields are wrong the message names the first only.
  const more = problems.length > 1 ? ` (${problems.length} fields are wrong)` : '';
  return { line, column, code: failure.code, pointer, detail: `${failure.message}${more}` };
}
