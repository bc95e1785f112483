export type { BatchResultLine, UploadedBytes } from './batch-calls.ts';
export { createDamask, type Damask, type DamaskOptions } from './create-damask.ts';
export { type ClientErrorCode, DamaskError, type DamaskErrorDetails } from './damask-error.ts';
export type { Fetch, FetchResponse } from './fetch-like.ts';
export * from './generated.ts';
export type { CallOptions } from './open-operation.ts';
export { type ByteStream, readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';
