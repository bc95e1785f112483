import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { systemClock } from '../../server/src/platform/clock.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { type TestDatabase, testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { createCaller, type Home, makeHome, readKey, type ServerProcess, startServer } from '../e2e/server-process.ts';

let home: Home;
let database: TestDatabase;
let model: ModelServer;
const started: ServerProcess[] = [];
before(async () => {
  home = await makeHome();
  database = await testDatabase();
  model = await startModelServer(({ messages }, answer) => {
    if (messages.at(-1)?.content !== 'never') answer.say('Hello.');
  });
});
after(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map((process) => process.exited));
  await model.close();
  await database.drop();
  await home.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function alone(service: string, environment: Record<string, string>): ServerProcess {
  const process = startServer(home, {
    args: ['serve', '--services', service],
    environment: {
      DAMASK_DATABASE_URL: database.url,
      DAMASK_SERVICE_SECRET: 'of-one-installation-0123456789abcdef',
      OPENAI_BASE_URL: model.url,
      DAMASK_DRAIN_MS: '500',
      ...environment,
    },
  });
  started.push(process);
  return process;
}

test('the edge waits for services that come later, says who is missing, and outlives their restart', async () => {
  const [identityPort, patternPort] = [await freePort(), await freePort()];
  const gateway = alone('gateway', {
    DAMASK_IDENTITY_URL: `http://127.0.0.1:${identityPort}`,
    DAMASK_PATTERN_URL: `http://127.0.0.1:${patternPort}`,
  });
  const startPattern = async () => {
    const process = alone('pattern', { DAMASK_SERVICE_LISTEN: `127.0.0.1:${patternPort}` });
    await process.event('serving');
    return process;
  };
  const pattern = await startPattern();
  for (let wait = 0; wait < 200 && !gateway.log().includes('The identity service does not answer'); wait++) {
    await systemClock.sleep(50);
  }
  assert.match(gateway.log(), /The edge waits for other services.*The identity service does not answer/);
  alone('identity', { DAMASK_SERVICE_LISTEN: `127.0.0.1:${identityPort}` });
  const { url = '', instance = '' } = await gateway.event('ready');
  const call = createCaller(url, await readKey(home, instance));
  assert.equal((await call('GET', '/readyz')).status, 200);
  while ((await call('GET', '/v1/patterns')).body.items.length === 0) await systemClock.sleep(50);

  const request = { pattern: 'summarize', input: 'never', model: 'openai/test' };
  const long = call('POST', '/v1/runs', request);
  while (model.calls.length === 0) await systemClock.sleep(10);
  const asked = systemClock.monotonic();
  assert.equal(await pattern.stop(), 0);
  assert.ok(systemClock.monotonic() - asked < 5_000, 'a run that takes long does not hold up the end');
  const interrupted = await long;
  assert.deepEqual([interrupted.status, interrupted.body.code], [502, 'interrupted']);

  const missing = await call('GET', '/readyz');
  assert.equal(missing.status, 503);
  assert.deepEqual(
    missing.body.problems.map((problem: { pointer: string }) => problem.pointer),
    ['/pattern'],
  );
  const refused = await call('POST', '/v1/runs', request);
  assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable']);
  assert.equal((await call('GET', '/v1/me')).status, 200, 'what does not need it goes on');

  await startPattern();
  const back = await call('POST', '/v1/runs', { ...request, input: 'now' });
  assert.equal(back.status, 200);
  assert.equal((await call('GET', `/v1/runs/${interrupted.body.run_id}`)).body.error.code, 'interrupted');
  assert.equal((await call('GET', '/readyz')).status, 200);
});
