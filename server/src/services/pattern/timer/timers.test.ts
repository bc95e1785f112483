import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let pool: pg.Pool;

before(async () => {
  model = await startModelServer();
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet {{name}}.' });
});
after(async () => {
  await pool.end();
  await platform.stop();
  await model.close();
});

const run = { pattern: 'greet', input: 'The heron flies.', variables: { name: 'Ada' }, model: 'openai/test' };
const put = (name: string, fields: object = {}, key?: string) =>
  platform.call('PUT', `/v1/timers/${name}`, { cron: '0 7 * * 1-5', run, ...fields }, key ? { key } : {});

/** Lets the timer come due `seconds` ago, as a silence would. */
const letCome = (name: string, at: Date) =>
  pool.query('update pattern.timer set next_at = $2 where name = $1', [name, at]);

async function ticksOf(name: string, count: number) {
  for (let tries = 0; ; tries++) {
    const { body } = await platform.call('GET', `/v1/timers/${name}/ticks`);
    if (body.items.length >= count || tries > 200) return body.items;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The minute that has begun, with enough of it left that the next one does not begin meanwhile. */
async function thisMinute(): Promise<Date> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left));
  return new Date(Math.floor(Date.now() / 60_000) * 60_000);
}

test('a timer is put, read, listed and deleted, and each change leaves its trace', async () => {
  const made = await put('morning', { time_zone: 'Europe/Berlin' });
  assert.equal(made.status, 200, made.text);
  assert.equal(made.body.pattern, 'greet');
  assert.equal(made.body.missed, 'last');
  assert.ok(Date.parse(made.body.next_at) > Date.now());
  const read = await platform.call('GET', '/v1/timers/morning');
  assert.deepEqual(read.body, { ...made.body, run });
  const { body: list } = await platform.call('GET', '/v1/timers');
  assert.deepEqual(list.items, [made.body]);
  const { rows } = await pool.query('select action, subject from pattern.audit where request_id = $1', [
    made.headers.get('x-request-id'),
  ]);
  assert.deepEqual(rows, [{ action: 'putTimer', subject: 'timer/morning' }]);

  const gone = await platform.call('DELETE', '/v1/timers/morning');
  assert.equal(gone.status, 200);
  const { rows: events } = await pool.query('select name, data from pattern.outbox where request_id = $1', [
    gone.headers.get('x-request-id'),
  ]);
  assert.deepEqual(events, [{ name: 'pattern.timer-deleted', data: { timer: 'morning' } }]);
  assert.equal((await platform.call('GET', '/v1/timers/morning')).status, 404);
  assert.equal((await platform.call('DELETE', '/v1/timers/morning')).status, 404);
  assert.equal((await platform.call('GET', '/v1/timers/morning/ticks')).status, 404);
});

test('who may only run reads no timer and puts none', async () => {
  const refused = await put('mine', {}, await platform.keyFor('runner'));
  assert.deepEqual([refused.status, refused.body.need], [403, 'timer:write']);
  const viewer = await platform.keyFor('viewer');
  assert.equal((await platform.call('GET', '/v1/timers', undefined, { key: viewer })).status, 200);
});

test('what is wrong with a timer or its run is told when it is put, and nothing is kept', async () => {
  const cases: readonly [fields: object, told: string][] = [
    [{ cron: '0 0 30 2 *' }, '400 invalid_request /cron'],
    [{ cron: '99 * * * *' }, '400 invalid_request /cron'],
    [{ time_zone: 'Mars/Olympus' }, '400 invalid_request /time_zone'],
    [{ ends_at: '2020-01-01T00:00:00Z' }, '400 invalid_request /ends_at'],
    [
      { cron: '@yearly', starts_at: '2030-02-01T00:00:00Z', ends_at: '2030-03-01T00:00:00Z' },
      '400 invalid_request /ends_at',
    ],
    [{ run: { ...run, pattern: 'nobody' } }, '404 not_found /run/pattern'],
    [{ run: { ...run, variables: {} } }, '400 missing_variable /run/variables/name'],
    [{ run: { ...run, label: 'stable', version: 1 } }, '400 invalid_request /run/label'],
    [{ run: { ...run, mode: 'sync' } }, '400 invalid_request /run/mode'],
    [{ run: { ...run, input: undefined } }, '400 invalid_request /run/input'],
    [{ run: { ...run, items: [{ input: 'x' }] } }, '400 invalid_request /run/input'],
    [{ run: { pattern: run.pattern, items: [{ input: 'x' }] } }, '422 invalid_batch undefined'],
  ];
  for (const [fields, told] of cases) {
    const { status, body } = await put('wrong', fields);
    assert.equal(`${status} ${body.code} ${body.pointer}`, told, JSON.stringify(fields));
  }
  assert.equal((await platform.call('GET', '/v1/timers/wrong')).status, 404);
});

test('a tick starts one run, which is its owner’s and names timer and tick', async () => {
  await put('soon', { cron: '* * * * *' });
  const at = await thisMinute();
  await letCome('soon', at);
  const [tick] = await ticksOf('soon', 1);
  assert.equal(tick.state, 'fired');
  assert.equal(tick.at, at.toISOString());
  const { status, body } = await platform.call('GET', `/v1/runs/${tick.run}`);
  assert.equal(status, 200);
  assert.deepEqual(body.metadata, { timer: 'soon', tick: at.toISOString() });
  const { body: timer } = await platform.call('GET', '/v1/timers/soon');
  assert.equal(timer.last.run, tick.run);
  assert.ok(Date.parse(timer.next_at) > at.getTime());

  // The same tick once more, as another process would see it that had not heard.
  await letCome('soon', at);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const { body: runs } = await platform.call('GET', '/v1/runs?metadata=timer%3Dsoon');
  assert.equal(runs.items.length, 1);
  await put('soon', { paused: true });
});

test('a tick starts a batch of items, whose runs name timer and tick', async () => {
  const { pattern, model: name, variables } = run;
  const items = ['one', 'two'].map((input) => ({ input, variables }));
  const made = await put('lines', { cron: '* * * * *', run: { pattern, model: name, items } });
  assert.equal(made.status, 200, made.text);
  const at = await thisMinute();
  await letCome('lines', at);
  const [tick] = await ticksOf('lines', 1);
  assert.deepEqual([tick.state, tick.run], ['fired', null]);
  const { body: batch } = await platform.call('GET', `/v1/batches/${tick.batch}`);
  assert.deepEqual([batch.lines.total, batch.metadata], [2, { timer: 'lines', tick: at.toISOString() }]);
  await put('lines', { paused: true });
});

test('after a silence the policy decides', async () => {
  for (const [missed, fired] of [
    ['skip', 1],
    ['last', 1],
    ['all', 6],
  ] as const) {
    await put(`after_${missed}`, { cron: '* * * * *', missed });
    await letCome(`after_${missed}`, new Date((await thisMinute()).getTime() - 5 * 60_000));
    const ticks = await ticksOf(`after_${missed}`, 6);
    assert.equal(ticks.length, 6, missed);
    assert.equal(ticks.filter(({ state }: { state: string }) => state === 'fired').length, fired, missed);
    await put(`after_${missed}`, { paused: true });
  }
});

test('a tick whose run cannot be accepted fails with the reason, an event says so, and the timer goes on', async () => {
  await platform.call('POST', '/v1/patterns', { name: 'fleeting', system: 'Hello.' });
  await put('doomed', { cron: '* * * * *', run: { pattern: 'fleeting', input: 'x', model: 'openai/test' } });
  await platform.call('DELETE', '/v1/patterns/fleeting');
  await letCome('doomed', await thisMinute());
  const [tick] = await ticksOf('doomed', 1);
  assert.deepEqual([tick.state, tick.run, tick.error.code], ['failed', null, 'not_found']);
  const { rows } = await pool.query(
    `select data->>'code' as code from pattern.outbox where name = 'pattern.timer-failed'`,
  );
  assert.deepEqual(rows, [{ code: 'not_found' }]);
  const { body: timer } = await platform.call('GET', '/v1/timers/doomed');
  assert.ok(Date.parse(timer.next_at) > Date.now() - 1_000);
  await platform.call('DELETE', '/v1/timers/doomed');
});

test('its texts lie in the database sealed only', async () => {
  await put('secret');
  for (const table of ['pattern.timer', 'pattern.timer_tick', 'pattern.audit', 'pattern.outbox']) {
    const { rows } = await pool.query(`select t::text as row from ${table} as t`);
    const leaks = rows.filter(({ row }) => row.includes('heron') || row.includes(Buffer.from('heron').toString('hex')));
    assert.equal(leaks.length, 0, table);
  }
});
