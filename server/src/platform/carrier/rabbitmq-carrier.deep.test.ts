import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection } from 'rabbitmq-client';
import { AppError } from '../app-error.ts';
import { systemClock } from '../clock.ts';
import { createLog } from '../log.ts';
import { createRedact } from '../redact.ts';
import { type RabbitmqServer, startRabbitmq, withoutRabbitmq } from '../testing/rabbitmq-server.ts';
import { testCarrier } from './carrier-contract-for-tests.ts';
import { createRabbitmqCarrier } from './rabbitmq-carrier.ts';

const logged: Record<string, unknown>[] = [];
const log = createLog({
  level: 'info',
  clock: systemClock,
  write: (line) => void logged.push(JSON.parse(line)),
  redact: createRedact(),
});

let server: RabbitmqServer;
const open = (url = server.url) => createRabbitmqCarrier({ url, name: 'test', clock: systemClock, log });

async function until(met: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if (await met()) return;
    await systemClock.sleep(50);
  }
  assert.fail(what);
}

testCarrier({
  name: 'RabbitMQ',
  skip: withoutRabbitmq,
  open: () => open(),
  async start() {
    server = await startRabbitmq();
  },
  async interrupt() {
    // A broker that dies as it declares a queue may keep half of it.
    await systemClock.sleep(2_000);
    await server.kill();
    await server.start();
  },
  stop: () => server.stop(),
});

const skip = withoutRabbitmq;
/** Looks at the broker as its own client would. */
async function withBroker<Result>(work: (broker: Connection) => Promise<Result>): Promise<Result> {
  const broker = new Connection(server.url);
  broker.on('error', () => undefined);
  try {
    return await work(broker);
  } finally {
    await broker.close();
  }
}

test('a message that cannot be read goes to the dead letters with the reason, and the next one is heard', {
  skip,
}, async () => {
  let heard = 0;
  const carrier = open();
  carrier.subscribe('poison', 'workers', () => {
    heard += 1;
  });
  await until(() => heard > 0, 'it listens');
  const reasons: unknown[] = [];
  await withBroker(async (broker) => {
    await broker.queuePurge('damask.test.dead');
    const publisher = broker.createPublisher({ confirm: true });
    const envelope = { exchange: 'damask.test', routingKey: 'poison' };
    await publisher.send({ ...envelope, contentType: 'application/json' }, Buffer.from('{"v":1,'));
    await publisher.send(envelope, { v: 2, topic: 'poison' });
    await publisher.send(envelope, { v: 1, topic: 'other' });
    await publisher.send(envelope, Buffer.alloc(8 * 1024 * 1024));
    await publisher.close();
    await until(async () => {
      const dead = await broker.basicGet({ queue: 'damask.test.dead', noAck: true });
      if (dead) reasons.push(dead.headers?.reason);
      return reasons.length === 4;
    }, 'all are set aside');
  });
  assert.deepEqual(reasons.toSorted(), [
    'it is no JSON object',
    'it is no JSON object',
    'its topic is not the one of its queue',
    'its version is not known here',
  ]);
  const before = heard;
  carrier.announce('poison');
  await until(() => heard > before, 'the next one is heard');
  await carrier.close();
});

test('a queue that was deleted is declared again, and a word that found none is said again', { skip }, async () => {
  let heard = 0;
  const carrier = open();
  carrier.subscribe('deleted', 'workers', () => {
    heard += 1;
  });
  await until(() => heard > 0, 'it listens');
  await withBroker((broker) => broker.queueDelete('damask.test.deleted.workers'));
  carrier.announce('deleted');
  const before = heard;
  await until(() => heard > before, 'it is heard');
  await carrier.close();
});

test('a broker that takes no messages holds nobody up, and is said to be unwell until it does', { skip }, async () => {
  let heard = 0;
  const far = open();
  const near = open();
  far.subscribe('blocked', 'workers', () => {
    heard += 1;
  });
  near.announce('blocked');
  await until(() => heard > 0, 'it listens');
  await server.control('set_vm_memory_high_watermark', '0');
  const before = heard;
  await until(() => {
    near.announce('blocked');
    return near.fault() !== null;
  }, 'it is unwell');
  await server.control('set_vm_memory_high_watermark', '0.4');
  await until(() => near.fault() === null && heard > before, 'it is well again');
  await Promise.all([near.close(), far.close()]);
});

test('a broker that is not there does not keep anybody from working, and its password is in no log', async () => {
  const carrier = open('amqp://guest:hunter2@127.0.0.1:1/');
  carrier.subscribe('work', 'workers', () => undefined);
  carrier.announce('work');
  await until(
    () => logged.some(({ level, message }) => level === 'warn' && String(message).includes('RabbitMQ')),
    'it is told',
  );
  assert.match(String(carrier.fault()), /RabbitMQ/);
  await carrier.close();
  assert.ok(!JSON.stringify(logged).includes('hunter2'));
  assert.throws(() => open('http://127.0.0.1/'), AppError);
});
