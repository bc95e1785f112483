import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../server/src/platform/clock.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { type TestDatabase, testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { createCaller, type Home, makeHome, readKey, type ServerProcess, startServer } from '../e2e/server-process.ts';

/** Real processes: one takes requests and executes nothing, others execute and are killed, stopped and frozen. */
let home: Home;
let database: TestDatabase;
let model: ModelServer;
let call: ReturnType<typeof createCaller>;
let waiting: (() => void)[] = [];
const started: ServerProcess[] = [];

before(async () => {
  home = await makeHome();
  database = await testDatabase();
  model = await startModelServer(async ({ messages }, answer) => {
    if (messages.at(-1)?.content === 'slow') await new Promise<void>((resolve) => waiting.push(resolve));
    answer.say('Hello.');
  });
  const edge = start('gateway,pattern,identity', { DAMASK_WORKER_SLOTS: '0' });
  const { url = '', instance = '' } = await edge.event('ready');
  call = createCaller(url, await readKey(home, instance));
  const onUncertain = (policy: string) => [
    { path: 'system.md', content: 'Greet.' },
    { path: 'pattern.yaml', content: `on_uncertain: ${policy}\n` },
  ];
  for (const policy of ['fail', 'retry']) {
    const made = await call('POST', '/v1/patterns', { name: `greet_${policy}`, files: onUncertain(policy) });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
});
after(async () => {
  answerAll();
  for (const { child } of started) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
  await Promise.all(started.map((process) => process.exited));
  await model.close();
  await database.drop();
  await home.remove();
});

function start(services: string, environment: Record<string, string> = {}): ServerProcess {
  const process = startServer(home, {
    args: ['serve', '--services', services],
    environment: {
      DAMASK_DATABASE_URL: database.url,
      DAMASK_SERVICE_SECRET: 'of-one-installation-0123456789abcdef',
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'sk-of-the-test',
      DAMASK_DRAIN_MS: '500',
      ...environment,
    },
  });
  started.push(process);
  return process;
}

async function startWorker(): Promise<ServerProcess> {
  const worker = start('pattern');
  await worker.event('serving');
  return worker;
}

function answerAll() {
  for (const resolve of waiting) resolve();
  waiting = [];
}

async function queue(pattern: string, input = 'slow'): Promise<string> {
  const { status, body } = await call('POST', '/v1/runs', { pattern, input, model: 'openai/test', mode: 'async' });
  assert.equal(status, 202, JSON.stringify(body));
  return body.id;
}

async function untilOut(count: number): Promise<void> {
  for (let look = 0; look < 400 && waiting.length < count; look++) await systemClock.sleep(25);
  assert.equal(waiting.length, count);
}

async function endOf(run: string) {
  for (let look = 0; look < 1_600; look++) {
    const { body } = await call('GET', `/v1/runs/${run}`);
    if (['succeeded', 'failed', 'cancelled'].includes(body.status)) return body;
    await systemClock.sleep(25);
  }
  return assert.fail('The run does not end');
}

const outcomes = (run: { attempts: { outcome: string }[] }) => run.attempts.map(({ outcome }) => outcome);

test('a worker that is killed loses no run: what was out is uncertain, what was not is run elsewhere', async () => {
  const first = await startWorker();
  const failing = await queue('greet_fail');
  const repeating = await queue('greet_retry');
  await untilOut(2);
  first.child.kill('SIGKILL');
  await first.exited;
  const untouched = await queue('greet_fail', 'quick');
  const second = await startWorker();
  const failed = await endOf(failing);
  assert.deepEqual([failed.status, failed.error.code, outcomes(failed)], ['failed', 'interrupted', ['uncertain']]);
  await untilOut(3);
  answerAll();
  const repeated = await endOf(repeating);
  assert.deepEqual([repeated.status, outcomes(repeated)], ['succeeded', ['uncertain', 'succeeded']]);
  assert.deepEqual(outcomes(await endOf(untouched)), ['succeeded']);
  assert.equal(await second.stop(), 0);
});

test('a worker that is told to stop hands back at once what it cannot end', async () => {
  const first = await startWorker();
  const run = await queue('greet_retry');
  await untilOut(1);
  const quick = await queue('greet_fail', 'quick');
  assert.equal((await endOf(quick)).status, 'succeeded');
  assert.equal(await first.stop(), 0);
  const { body } = await call('GET', `/v1/runs/${run}`);
  assert.deepEqual([body.status, body.queue.deliveries], ['queued', 0]);
  waiting = [];
  const second = await startWorker();
  await untilOut(1);
  answerAll();
  assert.deepEqual(outcomes(await endOf(run)), ['uncertain', 'succeeded']);
  assert.equal(await second.stop(), 0);
});

test('a worker that was frozen for longer than its lease changes nothing when it wakes', async () => {
  const first = await startWorker();
  const run = await queue('greet_fail');
  await untilOut(1);
  first.child.kill('SIGSTOP');
  const second = await startWorker();
  const ended = await endOf(run);
  assert.deepEqual([ended.status, outcomes(ended)], ['failed', ['uncertain']]);
  first.child.kill('SIGCONT');
  answerAll();
  await systemClock.sleep(1_500);
  assert.deepEqual((await call('GET', `/v1/runs/${run}`)).body, ended);
  const after = await queue('greet_fail', 'quick');
  assert.equal((await endOf(after)).status, 'succeeded');
  assert.equal(await first.stop(), 0);
  assert.equal(await second.stop(), 0);
});
