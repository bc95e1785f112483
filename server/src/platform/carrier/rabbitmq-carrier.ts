import { type AsyncMessage, Connection, type Consumer, ConsumerStatus, type Publisher } from 'rabbitmq-client';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { type Carrier, createAnnouncer, isTopic } from './carrier.ts';

/** Milliseconds after which a confirmation counts as missing: the word may have come through, and is said again. */
const confirmWithin = 5_000;
const closeWithin = 3_000;
const deliveriesMost = 3;
/** Words that wait for a group beyond these say nothing new. */
const waitingMost = 1_000;
const deadMost = 10_000;
const version = 1;

/** Both versions of the broker then behave the same; without them the older one drops what is delivered too often. */
const queueArguments = (deadExchange: string) =>
  ({
    'x-queue-type': 'quorum',
    'x-delivery-limit': deliveriesMost,
    'x-dead-letter-exchange': deadExchange,
    'x-max-length': waitingMost,
    'x-overflow': 'reject-publish',
  }) as const;

/**
 * Carries words by RabbitMQ: one quorum queue for each topic and group, of which one process hears each word. A message is
 * acknowledged before anything is done about it. What cannot be read goes to the dead letters, with the reason.
 */
export function createRabbitmqCarrier(options: {
  /** `amqp://user:password@host:5672/vhost`, or `amqps:`. */
  readonly url: string;
  /** Of this installation: others may share the broker. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}): Carrier {
  const { name, clock, log } = options;
  const exchange = `damask.${name}`;
  const dead = `damask.${name}.dead`;
  const connection = open(options.url);
  const consumers: Consumer[] = [];
  let failure: string | null = 'RabbitMQ is not connected yet';
  let closed = false;
  let told = false;

  connection.on('connection', () => {
    if (told) log.info('RabbitMQ passes word on again');
    failure = null;
    told = false;
  });
  const noteFault = (error: unknown) => {
    if (error instanceof Unroutable || isRefusal(error)) return;
    failure = 'RabbitMQ cannot be reached';
    if (!told && !closed) log.warn('RabbitMQ does not pass word on; everybody looks by themselves', { error });
    told = true;
  };
  connection.on('error', noteFault);
  connection.on('connection.blocked', (reason) => noteFault(new Error(`RabbitMQ takes no messages: ${reason}`)));
  connection.on('connection.unblocked', () => {
    failure = null;
    told = false;
  });

  const publisher: Publisher = connection.createPublisher({
    confirm: true,
    exchanges: [
      { exchange, type: 'direct', durable: true },
      { exchange: dead, type: 'fanout', durable: true },
    ],
    queues: [{ queue: dead, durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length': deadMost } }],
    queueBindings: [{ exchange: dead, queue: dead }],
  });
  const missed = new Set<string>();
  publisher.on('basic.return', ({ routingKey }) => void missed.add(routingKey));

  const announcer = createAnnouncer({
    clock,
    onFault: noteFault,
    async send(topic) {
      missed.delete(topic);
      const envelope = { exchange, routingKey: topic, mandatory: true, durable: true };
      await confirmed(clock, publisher.send(envelope, { v: version, topic }));
      // Unroutable, although confirmed: its queue was deleted and is not declared again yet, or nobody listens at all.
      if (missed.delete(topic) && consumers.length > 0) throw new Unroutable();
    },
  });

  /** Sets a message aside, for whoever looks why it was sent. */
  async function bury(message: AsyncMessage, reason: string): Promise<ConsumerStatus> {
    log.warn('A message from RabbitMQ could not be read and was set aside', { queue: dead, reason });
    const text = Buffer.isBuffer(message.body) ? message.body : Buffer.from(JSON.stringify(message.body) ?? '');
    const envelope = { exchange: dead, durable: true, headers: { reason, 'routing-key': message.routingKey } };
    try {
      await confirmed(clock, publisher.send(envelope, text.subarray(0, 1_024)));
      return ConsumerStatus.ACK;
    } catch {
      // Without the reason, but not lost: its queue has a dead-letter exchange of its own.
      return ConsumerStatus.DROP;
    }
  }

  return {
    announce: announcer.announce,
    subscribe(topic, group, wake) {
      const queue = `${exchange}.${topic}.${group}`;
      const consumer = connection.createConsumer(
        {
          queue,
          queueOptions: { durable: true, arguments: queueArguments(dead) },
          exchanges: [
            { exchange, type: 'direct', durable: true },
            { exchange: dead, type: 'fanout', durable: true },
          ],
          queueBindings: [{ exchange, queue, routingKey: topic }],
          qos: { prefetchCount: 50 },
        },
        (message) => {
          const reason = whyUnreadable(message.body, topic);
          if (reason !== null) return bury(message, reason);
          // Told after the acknowledgement is on its way: no message is held over what follows from it.
          setImmediate(wake);
          return ConsumerStatus.ACK;
        },
      );
      consumer.on('error', noteFault);
      // Also after the connection was lost, or the queue: what was said meanwhile may be gone.
      consumer.on('ready', wake);
      consumers.push(consumer);
    },
    fault: () => failure,
    async close() {
      closed = true;
      announcer.stop();
      const ended = Promise.all([...consumers.map((consumer) => consumer.close()), publisher.close()]).then(() =>
        connection.close(),
      );
      await Promise.race([ended.catch(() => undefined), clock.sleep(closeWithin)]);
      connection.unsafeDestroy();
    },
  };
}

class Unroutable extends Error {
  constructor() {
    super('Nobody has a queue for it');
  }
}

function open(url: string): Connection {
  try {
    return new Connection({
      url,
      acquireTimeout: confirmWithin,
      connectionTimeout: confirmWithin,
      heartbeat: 10,
      retryLow: 250,
      retryHigh: 2_000,
      connectionName: 'damask',
    });
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'DAMASK_RABBITMQ_URL is no address of RabbitMQ. Write it like amqp://user:password@host:5672/vhost.',
      {},
      { cause },
    );
  }
}

function whyUnreadable(body: unknown, topic: string): string | null {
  if (body === null || typeof body !== 'object' || Buffer.isBuffer(body)) return 'it is no JSON object';
  const { v, topic: said } = body as { v?: unknown; topic?: unknown };
  if (v !== version) return 'its version is not known here';
  if (!isTopic(said) || said !== topic) return 'its topic is not the one of its queue';
  return null;
}

/** The queue is full: who reads it has enough to do. */
const isRefusal = (error: unknown) => (error as { code?: string } | null)?.code === 'NACK';

async function confirmed(clock: Clock, sent: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(confirmWithin, () => late.reject(new Error('RabbitMQ did not confirm in time')));
  sent.catch(() => undefined);
  await Promise.race([sent, late.promise]).finally(() => timer.cancel());
}
