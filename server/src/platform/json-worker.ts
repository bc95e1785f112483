import { parentPort } from 'node:worker_threads';
import { AppError } from './app-error.ts';
import { closeOtherWays } from './egress/close-other-ways.ts';
import { cutJson, type JsonPiece } from './json-pieces.ts';
import type { JsonLimits } from './json-reader.ts';
import { parseStrictJson } from './strict-json.ts';

closeOtherWays();

/** To the worker: a body to parse, or the wish for the next group of pieces of the last one. */
export type JsonRequest = { readonly bytes: Uint8Array; readonly limits: JsonLimits } | 'next';

/** From the worker. `refused` carries what an AppError needs, because its class does not cross threads. */
export type JsonAnswer =
  | { readonly pieces: JsonPiece[]; readonly last: boolean }
  | { readonly refused: { readonly message: string; readonly pointer: string } };

const port = parentPort;
if (port === null) throw new Error('json-worker.ts is started as a worker thread only');

let groups: Iterator<JsonPiece[]> | undefined;
let ahead: IteratorResult<JsonPiece[]> | undefined;

port.on('message', (request: JsonRequest) => {
  try {
    if (request !== 'next') {
      groups = cutJson(parseStrictJson(request.bytes, request.limits))[Symbol.iterator]();
      ahead = groups.next();
    }
    const now = ahead;
    ahead = groups?.next();
    answer({ pieces: now?.value ?? [], last: ahead?.done !== false });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    answer({ refused: { message: error.message, pointer: error.details.pointer ?? '' } });
  }
});

function answer(message: JsonAnswer): void {
  port?.postMessage(message);
}
