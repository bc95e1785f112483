import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { operation } from '@damask/contracts/operation.ts';
import { Type } from 'typebox';
import type { CallContext } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { createDispatch } from './dispatch.ts';
import { buildRoutes } from './routes.ts';

const contract = {
  test: {
    echo: operation({
      method: 'POST',
      path: '/v1/echo',
      permission: 'public',
      summary: 'Says it again',
      input: Type.Object({ text: Type.String() }),
      output: Type.Object({}),
      status: 200,
      errors: [],
    }),
  },
};

test('a client that leaves while its body is parsed has left for the service too', async () => {
  let context: CallContext | undefined;
  let parsing = false;
  const dispatch = createDispatch({
    routes: buildRoutes(contract),
    services: {
      test: {
        echo: async (given: CallContext) => {
          context = given;
          return {};
        },
      },
    },
    authenticate: () => {
      throw new Error('Nobody is asked who it is');
    },
    parseLarge: async (bytes) => {
      parsing = true;
      await systemClock.sleep(200);
      return JSON.parse(bytes.toString());
    },
    observe: () => undefined,
    clock: systemClock,
    log: createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() }),
    concurrency: 10,
  });
  const server = createServer((request, response) => dispatch.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const body = JSON.stringify({ text: 'x'.repeat(300 * 1024) });
  socket.write(
    `POST /v1/echo HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  while (!parsing) await systemClock.sleep(5);
  socket.destroy();
  while (!context) await systemClock.sleep(5);
  assert.equal(context.signal.aborted, true);
  for (let wait = 0; wait < 100 && dispatch.active > 0; wait++) await systemClock.sleep(5);
  assert.equal(dispatch.active, 0);
  server.close();
});
