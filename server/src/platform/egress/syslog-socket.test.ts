import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { createSyslogSocket } from './syslog-socket.ts';

test('a receiver that stops reading is given up, and the next message connects anew', async (t) => {
  let connected = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    connected += 1;
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const syslog = createSyslogSocket(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, ['127.0.0.1'], 100);
  t.after(() => syslog.close());
  // More than the system keeps for a receiver.
  await assert.rejects(syslog.send(['x'.repeat(32 * 1024 * 1024)]), { code: 'unavailable' });
  await syslog.send(['short']);
  assert.equal(connected, 2);
});
