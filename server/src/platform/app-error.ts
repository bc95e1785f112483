import { type ErrorCode, type ErrorKind, errorCatalogue } from '@damask/contracts/errors.ts';

/** One of several things that are wrong. */
export interface Finding {
  readonly pointer: string;
  readonly detail: string;
  /** In an upload: its line, from 1, the character in it, and what code this would be alone. */
  readonly line?: number;
  readonly column?: number | null;
  readonly code?: string;
}

export interface ErrorDetails {
  /** JSON pointer to the field that is wrong. */
  readonly pointer?: string;
  /** The permission that is missing. */
  readonly need?: string;
  readonly retryAfterSeconds?: number;
  /** When a limit begins anew: RFC 3339. */
  readonly resetAt?: string;
  /** However long one waits, the same comes again. */
  readonly final?: true;
  readonly runId?: string;
  /** This is what the first request with the same Idempotency-Key was told. */
  readonly replayed?: true;
  /** More findings, for reports; each names a place and a reason. */
  readonly problems?: readonly Finding[];
}

/** An error that the caller may see. `message` says what is wrong and what to do next; the status belongs to the code. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly status: number;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.kind = errorCatalogue[code].kind;
    this.status = errorCatalogue[code].status;
    this.details = details;
  }
}

/** The one answer for what is unknown and for what belongs to another workspace. */
export function notFound(): AppError {
  return new AppError('not_found', 'There is nothing here, or it is not yours. Check the name or id.');
}

/** What may leave: an AppError as it is, anything else as `internal` without its text. */
export function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  return new AppError(
    'internal',
    'Something failed on our side. The log has the cause under this request id.',
    {},
    { cause: error },
  );
}

/** What is thrown may be anything, even something that throws when it is looked at. */
function isAppError(error: unknown): error is AppError {
  try {
    return error instanceof AppError;
  } catch {
    return false;
  }
}
