import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let admin: pg.Client;
let calls: (() => void)[] = [];
before(async () => {
  model = await startModelServer(async (_, answer) => {
    await new Promise<void>((resolve) => calls.push(resolve));
    answer.say('Hello.');
  });
  platform = await startTestPlatform({ modelUrl: model.url });
  admin = new pg.Client(platform.connection);
  await admin.connect();
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
});
after(async () => {
  answerAll();
  await admin.end();
  await platform.stop();
  await model.close();
});

function answerAll() {
  for (const call of calls) call();
  calls = [];
}
const until = async (met: () => boolean | Promise<boolean>) => {
  for (let look = 0; look < 400 && !(await met()); look++) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.ok(await met());
};
const readQueue = async () => (await platform.call('GET', '/v1/queue')).body;

test('a limit of the workspace holds for its queued runs, and the rest goes on when it is lifted', async () => {
  const put = await platform.call('PUT', '/v1/queue', { concurrency: 2 });
  assert.deepEqual(put.body, { interactive: 0, bulk: 0, running: 0, waiting: 0, concurrency: 2 });
  const body = { pattern: 'greet', input: 'x', model: 'openai/test', mode: 'async' };
  for (const priority of ['interactive', 'bulk', 'interactive', 'bulk']) {
    assert.equal((await platform.call('POST', '/v1/runs', { ...body, priority })).status, 202);
  }
  await until(() => calls.length === 2);
  await until(async () => (await readQueue()).running === 2);
  const { interactive, bulk } = await readQueue();
  assert.equal(interactive + bulk, 2);
  assert.equal((await platform.call('PUT', '/v1/queue', { concurrency: null })).body.concurrency, null);
  await until(() => calls.length === 4);
  answerAll();
  await until(async () => (await readQueue()).running === 0);
});

test('setting a limit leaves an audit row and an event, and setting the same one leaves none', async () => {
  const left = async () => {
    const { rows } = await admin.query(
      `select (select count(*)::int from pattern.audit where action = 'putQueue') as audit,
        (select count(*)::int from pattern.outbox where name = 'pattern.queue-put') as said`,
    );
    return rows[0];
  };
  await platform.call('PUT', '/v1/queue', { concurrency: 7 });
  const before = await left();
  await platform.call('PUT', '/v1/queue', { concurrency: 7 });
  assert.deepEqual(await left(), before);
  await platform.call('PUT', '/v1/queue', { concurrency: 8 });
  assert.deepEqual(await left(), { audit: before.audit + 1, said: before.said + 1 });
});

test('who may not, and what is no limit, is refused', async () => {
  const operator = await platform.keyFor('operator');
  const refused = await platform.call('PUT', '/v1/queue', { concurrency: 1 }, { key: operator });
  assert.deepEqual([refused.status, refused.body.need], [403, 'budget:write']);
  for (const concurrency of [0, -1, 1.5, '3', 10_000_000, undefined]) {
    const { status, body } = await platform.call('PUT', '/v1/queue', { concurrency });
    assert.deepEqual([status, body.pointer], [400, '/concurrency'], String(concurrency));
  }
});
