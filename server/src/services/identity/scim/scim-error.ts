import { AppError } from '#platform/app-error.ts';

/** The gateway tells the kind of an error (`scimType`) by its pointer: `/filter`, `.../path`, `/Operations/0`, a value. */
export function invalid(pointer: string, message: string): AppError {
  return new AppError('invalid_request', message, { pointer });
}
