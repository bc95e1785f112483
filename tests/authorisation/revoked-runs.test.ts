import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { seedMember } from './seed-by-hand.ts';

let model: ModelServer;
let platform: TestPlatform;
const asked: string[] = [];
let pool: pg.Pool;
before(async () => {
  model = await startModelServer((call, answer) => {
    asked.push(call.messages.map(({ content }) => content).join(' '));
    answer.say('Done.');
  });
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  await must('POST', '/v1/patterns', { name: 'mail', system: 'Write.' });
});
after(async () => {
  await pool.end();
  await platform.stop();
  await model.close();
});

async function must(method: string, path: string, body?: unknown, key?: string) {
  const reply = await platform.call(method, path, body, key === undefined ? {} : { key });
  assert.ok(reply.status < 300, `${method} ${path} ${reply.status} ${reply.text}`);
  return reply.body;
}
const makeKey = (more: object = {}) => must('POST', '/v1/keys', { name: 'short', role: 'runner', ...more });
const later = () => new Date(Date.now() + 3_600_000).toISOString();
/** What waits for its time may begin, once `stopped` actors in all are known to be: however long that took, nothing has begun yet. */
async function letBegin(stopped: number) {
  for (let known = -1; known < stopped; ) {
    await sleep(50);
    known = (await pool.query('select from pattern.stopped_actor')).rowCount ?? 0;
  }
  // Whoever wrote that down has it in memory a moment later.
  await sleep(500);
  for (const table of ['pattern.task', 'pattern.batch']) {
    await pool.query(`update ${table} set ready_at = now() where ready_at > now() and ready_at < 'infinity'`);
  }
}
const queued = (input: string, key: string) =>
  must('POST', '/v1/runs', { pattern: 'mail', input, model: 'openai/x', mode: 'async', start_at: later() }, key);
async function ended(id: string) {
  for (let tries = 0; tries < 400; tries++) {
    const run = await must('GET', `/v1/runs/${id}`);
    if (run.finished_at !== null) return run;
    await sleep(25);
  }
  throw new Error('The run did not end');
}
async function refused(id: string, input: string) {
  const { status, error, cost_micros, output } = await ended(id);
  assert.deepEqual([status, error?.code, cost_micros, output], ['failed', 'authorization_revoked', 0, '']);
  assert.ok(!asked.some((text) => text.includes(input)), 'a model was asked');
}

test('Z-7: a queued run whose key is revoked before it begins is refused, and costs nothing', async () => {
  const [gone, stays] = [await makeKey(), await makeKey()];
  const [one, two] = [await queued('first text', gone.key), await queued('second text', stays.key)];
  await must('DELETE', `/v1/keys/${gone.id}`);
  await letBegin(1);
  await refused(one.id, 'first text');
  assert.equal((await ended(two.id)).status, 'succeeded');
});

test('Z-7: so is one whose role may run nothing any more, and one of a service account that is gone', async () => {
  const permissions = ['run:execute', 'run:read', 'pattern:read', 'model:read'];
  await must('PUT', '/v1/roles/caller', { permissions });
  const changed = await makeKey({ role: 'custom:caller' });
  await must('PUT', '/v1/service-accounts/ci', { role: 'runner' });
  const robot = await makeKey({ service_account: 'ci' });
  const [one, two] = [await queued('third text', changed.key), await queued('fourth text', robot.key)];
  await must('PUT', '/v1/roles/caller', { permissions: ['run:read'] });
  await must('DELETE', '/v1/service-accounts/ci');
  await letBegin(4);
  await refused(one.id, 'third text');
  await refused(two.id, 'fourth text');
  await sleep(2_100);
  await must('PUT', '/v1/roles/caller', { permissions });
  const again = await queued('fifth text', changed.key);
  await letBegin(4);
  assert.equal((await ended(again.id)).status, 'succeeded');
});

test('Z-7: a batch and a timer of one who was removed begin nothing', async () => {
  const account = await seedMember(
    (text, values) => pool.query(text, values).then(({ rows }) => rows),
    platform.alpha.id,
  );
  await must('PUT', `/v1/members/${account}`, { role: 'admin' });
  const key = await makeKey({ role: 'admin' });
  await pool.query('update identity.api_key set member = $2 where id = $1', [key.id, account]);
  await pool.query("update platform.topic set version = version + 1 where name = 'identity.keys'");
  await platform.gateway.refresh();
  assert.equal((await must('GET', '/v1/me', undefined, key.key)).actor.account, account);
  const run = { pattern: 'mail', input: 'sixth text', model: 'openai/x' };
  await must('PUT', '/v1/timers/nightly', { cron: '* * * * *', run }, key.key);
  const items = [{ input: 'seventh text' }, { input: 'seventh text too' }];
  const batch = { pattern: 'mail', items, model: 'openai/x', start_at: later() };
  const { id } = await must('POST', '/v1/batches', batch, key.key);
  await must('DELETE', `/v1/members/${account}`);
  assert.equal((await platform.call('GET', '/v1/me', undefined, { key: key.key })).status, 401);
  await letBegin(6);
  for (let tries = 0; tries < 200; tries++) {
    const { failed } = await must('GET', `/v1/batches/${id}`);
    if (failed === 2) break;
    await sleep(25);
  }
  const { items: runs } = await must('GET', `/v1/runs?batch=${id}`);
  assert.equal(runs.length, 2);
  for (const one of runs) await refused(one.id, 'seventh');
  await pool.query("update pattern.timer set next_at = date_trunc('minute', now()) where name = 'nightly'");
  let tick: { state: string; error: { code: string } } | undefined;
  for (let tries = 0; tries < 200 && !tick; tries++) {
    await sleep(50);
    tick = (await must('GET', '/v1/timers/nightly/ticks')).items[0];
  }
  assert.deepEqual([tick?.state, tick?.error.code], ['failed', 'authorization_revoked']);
});
