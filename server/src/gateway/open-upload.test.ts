import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { operation } from '@damask/contracts/operation.ts';
import { Type } from 'typebox';
import { toAppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import { listen } from './listen.ts';
import { openUpload } from './open-upload.ts';
import { discardBody } from './read-body.ts';

const take = operation({
  method: 'POST',
  path: '/take',
  permission: 'run:execute',
  summary: 'Takes lines',
  input: Type.Object({}),
  output: Type.Object({}),
  status: 200,
  errors: [],
  uploads: { types: ['text/csv'], limit: 1_000 },
});

/** Answers how many bytes came, or the code of the refusal. */
async function handle(request: IncomingMessage, response: ServerResponse) {
  let size = 0;
  try {
    for await (const bytes of openUpload(request, take, systemClock)?.bytes ?? []) size += bytes.length;
    response.end(String(size));
  } catch (error) {
    response.end(toAppError(error).code);
    discardBody(request, response);
  }
}

const listener = await listen({
  host: '127.0.0.1',
  port: 0,
  handle: (request, response) => void handle(request, response),
  clock: systemClock,
  maxConnections: 10,
  patience: { headers: 400, request: 400 },
});
after(() => listener.drain(100));

/** Sends pieces with a pause after each. */
async function send(pieces: readonly string[], type = 'text/csv', headers = {}, pause = 0): Promise<string> {
  const body = new ReadableStream({
    async pull(controller) {
      const piece = pieces[sent++];
      if (piece === undefined) return controller.close();
      controller.enqueue(Buffer.from(piece));
      await systemClock.sleep(pause);
    },
  });
  let sent = 0;
  const init = { method: 'POST', headers: { 'content-type': type, ...headers }, body, duplex: 'half' };
  return (await fetch(listener.url, init as RequestInit)).text();
}

test('an upload may take longer than other requests, as long as something comes', async () => {
  assert.equal(await send(['one', 'two', 'three', 'four'], 'text/csv; charset=utf-8', {}, 400), '15');
});

test('an upload that is too large, compressed or of another type is refused', async () => {
  assert.equal(await send(['x'.repeat(600), 'x'.repeat(600)]), 'too_large');
  assert.equal(await send(['x'], 'text/csv', { 'content-encoding': 'gzip' }), 'unsupported_media_type');
  assert.equal(await send(['x'], 'application/zip'), 'unsupported_media_type');
  assert.equal(await send(['{}'], 'application/json'), '0');
});
