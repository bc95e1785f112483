import { type ErrorCode, errorCatalogue } from '@damask/contracts/errors.ts';
import { AppError, type ErrorDetails, toAppError } from '../app-error.ts';

/** One line of a streamed call between processes. */
export type Frame =
  | { readonly event: string; readonly id: number; readonly data: unknown }
  | { readonly result: unknown }
  | { readonly error: WireError };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

export function toWireError(error: unknown): WireError {
  const { code, message, details } = toAppError(error);
  return { code, message, details };
}

export function fromWireError(value: unknown): AppError {
  const { code, message, details } = (value ?? {}) as Partial<WireError>;
  if (typeof code !== 'string' || !Object.hasOwn(errorCatalogue, code)) {
    return new AppError('unavailable', 'A part of the platform gave an answer that could not be read. Try again.');
  }
  return new AppError(code, String(message), details ?? {});
}

/** A call whose operation takes bytes: they are the body, and the fields stand in a header, as JSON with percent escapes. */
export const bytesType = 'application/octet-stream';
export const fieldsHeader = 'damask-fields';

/** A call that brings an upload: the same, and the bytes are handed on while they come. */
export const uploadType = 'application/vnd.damask.upload';
export const uploadTypeHeader = 'damask-upload-type';

export const callPath = (service: string, name: string) => `/rpc/${service}/${name}`;
export const readyPath = (service: string) => `/rpc/${service}`;
/** What the token is for that comes with the question whether a service is ready. */
export const readyCall = (service: string) => `${service}/ready`;
