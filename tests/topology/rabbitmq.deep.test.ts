import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import {
  type RabbitmqServer,
  withoutRabbitmq as skip,
  startRabbitmq,
} from '../../server/src/platform/testing/rabbitmq-server.ts';
import { createHttpClient } from '../http-client.ts';
import { createScript, type Story, tellStory } from './one-story.ts';
import { startFourProcesses, startOneProcess, type Topology } from './start-topology.ts';

const { script, goOn } = createScript();
let model: ModelServer;
let broker: RabbitmqServer;
let expected: Story | undefined;
before(async () => {
  if (skip) return;
  model = await startModelServer(script);
  broker = await startRabbitmq();
});
after(async () => {
  if (skip) return;
  await model.close();
  await broker.stop();
});

async function withTopology(
  start: (environment: Record<string, string>) => Promise<Topology>,
  work: (topology: Topology) => Promise<void>,
) {
  const topology = await start({
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'sk-of-the-test',
    DAMASK_RABBITMQ_URL: broker.url,
  });
  try {
    await work(topology);
  } finally {
    await topology.stop();
  }
}

for (const [what, start] of [
  ['one process', startOneProcess],
  ['four processes', startFourProcesses],
] as const) {
  test(`${what} with RabbitMQ: the same requests get the same answers`, { skip }, () =>
    withTopology(start, async (topology) => {
      const story = await tellStory(topology, model, goOn);
      expected ??= story;
      assert.deepEqual(story, expected);
      for (const { log } of Object.values(topology.processes)) {
        assert.doesNotMatch(log(), /"level":"error"|RabbitMQ does not pass word on/);
      }
    }),
  );
}

test('work reaches another process by RabbitMQ, and without it a moment later', { skip }, () =>
  withTopology(startFourProcesses, async ({ url, key }) => {
    const client = createHttpClient(url);
    const body = { pattern: 'greet', input: 'later', variables: { name: 'Ada' }, model: 'openai/test', mode: 'async' };
    await client.send('POST', '/v1/patterns', { key, body: { name: 'greet', system: 'Greet {{name}}.' } });
    const run = async () => {
      const { body: accepted } = await client.send('POST', '/v1/runs', { key, body });
      for (let look = 0; look < 400; look++) {
        const { body: found } = await client.send('GET', `/v1/runs/${accepted.id}`, { key });
        if (found.status === 'succeeded') return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      assert.fail('The run does not end');
    };
    await run();
    assert.equal(await readersOfWork(), 1);
    await broker.kill();
    await run();
    await broker.start();
    await run();
    client.close();
  }),
);

/** How many read the queue of the workers. The broker counts them every few seconds. */
async function readersOfWork(): Promise<number> {
  for (let look = 0; ; look++) {
    const lines = (await broker.control('list_queues', 'name', 'consumers'))
      .split('\n')
      .map((line) => line.split('\t'));
    const readers = lines.filter(([name]) => name?.endsWith('.work.workers')).map(([, count]) => Number(count));
    if (readers.some((count) => count > 0) || look === 40) return Math.max(...readers);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
