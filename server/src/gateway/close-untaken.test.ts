import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { type Clock, systemClock } from '#platform/clock.ts';
import { closeUntaken } from './close-untaken.ts';
import { createEventStream } from './event-stream.ts';

const size = 16 * 1024 * 1024;

async function openTo(answer: (response: ServerResponse) => void) {
  const server = createServer((_, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
  return { server, socket };
}

test('an answer that nobody takes is closed after a while; one that is taken is left alone', async () => {
  const timers: { milliseconds: number; call: () => void; cancelled: boolean }[] = [];
  const clock: Clock = {
    ...systemClock,
    after(milliseconds, call) {
      const timer = { milliseconds, call, cancelled: false };
      timers.push(timer);
      return {
        cancel() {
          timer.cancelled = true;
        },
      };
    },
  };
  let closed = 0;
  let answered = 0;
  const { server, socket } = await openTo((response) => {
    response.on('close', () => {
      closed += 1;
    });
    response.end(Buffer.alloc(size));
    closeUntaken(response, clock);
    answered += 1;
  });
  while (answered === 0) await systemClock.sleep(5);
  assert.equal(timers.length, 1);
  const [timer] = timers as [(typeof timers)[0]];
  assert.ok(timer.milliseconds > 30_000 && timer.milliseconds < 30_000 + size / 32, `${timer.milliseconds} ms`);
  assert.equal(closed, 0);
  timer.call();
  await systemClock.sleep(20);
  assert.equal(closed, 1);
  socket.destroy();

  const { port } = server.address() as AddressInfo;
  const whole = await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
  assert.equal(whole.byteLength, size);
  await systemClock.sleep(20);
  assert.ok(timers.slice(1).every((one) => one.cancelled));
  server.close();
  server.closeAllConnections();
});

test('a small answer to somebody who reads needs no timer', async () => {
  let timers = 0;
  const clock: Clock = {
    ...systemClock,
    after() {
      timers += 1;
      return { cancel: () => undefined };
    },
  };
  const { server, socket } = await openTo((response) => {
    response.end('small');
    closeUntaken(response, clock);
  });
  await once(socket, 'data');
  assert.equal(timers, 0);
  socket.destroy();
  server.close();
  server.closeAllConnections();
});

test('however often a slow reader is waited for, no listener is left', async () => {
  let listeners = 0;
  let finished = false;
  const { server, socket } = await openTo(async (response) => {
    const sink = createEventStream(response, 'request');
    for (let i = 0; i < 30; i++) {
      while (sink.emit('output.delta', i, { text: 'x'.repeat(64 * 1024) }));
      await sink.drained();
      listeners = Math.max(listeners, response.listenerCount('close'));
    }
    response.end();
    finished = true;
  });
  socket.resume();
  while (!finished) await systemClock.sleep(5);
  assert.ok(listeners <= 2, `${listeners} listeners`);
  socket.destroy();
  server.close();
  server.closeAllConnections();
});
