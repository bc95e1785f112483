import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { withConnection } from '#platform/database/own-connection.ts';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;

before(async () => {
  model = await startModelServer(({ messages }, answer) => answer.say(`Said: ${messages.at(-1)?.content}`));
  platform = await startTestPlatform({ modelUrl: model.url });
  for (const [name, yaml] of [
    ['plain', ''],
    ['letter', 'data_class: personal\n'],
  ] as const) {
    const files = [
      { path: 'system.md', content: 'Say it.' },
      { path: 'pattern.yaml', content: `model: openai/test\n${yaml}` },
    ];
    for (const key of [platform.alpha.ownerKey, platform.beta.ownerKey]) {
      assert.equal((await platform.call('POST', '/v1/patterns', { name, files }, { key })).status, 201);
    }
  }
});
after(async () => {
  await platform.stop();
  await model.close();
});

const call: TestPlatform['call'] = (...args) => platform.call(...args);
const sql = <Row extends object>(text: string, values: unknown[] = []) =>
  withConnection(platform.connection, async (client) => (await client.query<Row>(text, values)).rows);

/** A run that was accepted so many days ago, with the texts of one of today: another id does not open them, which is of no account. */
async function old(days: number, pattern = 'plain', key = platform.alpha.ownerKey): Promise<string> {
  const made = await call('POST', '/v1/runs', { pattern, input: 'now', subject: `of ${pattern}` }, { key });
  assert.equal(made.status, 200, made.text);
  const id = made.body.id as string;
  const [row] = await sql<{ old: string }>(
    `select overlay(pattern.uuid_at(now() - make_interval(days => $2))::text placing substr($1::text, 15) from 15) as old`,
    [id, days],
  );
  const moved = (row as { old: string }).old;
  // A run that was committed with its end has no acceptance of its own.
  await sql(
    `insert into pattern.accepted select workspace, $2::uuid, process, accepted_at - make_interval(days => $3), pattern, version, digest,
       environment, label, strategy, model, stream, actor, metadata from pattern.finished where id = $1`,
    [id, moved, days],
  );
  await sql('delete from pattern.accepted where id = $1', [id]);
  await sql(
    'update pattern.finished set id = $2, accepted_at = accepted_at - make_interval(days => $3) where id = $1',
    [id, moved, days],
  );
  return moved;
}
const stateOf = async (id: string) => {
  const { status, body } = await call('GET', `/v1/runs/${id}`);
  return status === 404 ? 'gone' : (body.texts ?? 'kept');
};
const states = (ids: readonly string[]) => Promise.all(ids.map(stateOf));
async function until(ids: readonly string[], wanted: readonly string[]) {
  for (let tries = 0; tries < 200; tries++) {
    if (JSON.stringify(await states(ids)) === JSON.stringify(wanted)) return;
    await systemClock.sleep(25);
  }
  assert.deepEqual(await states(ids), wanted);
}
const put = async (rules: object[], more: object = {}) => {
  const { status, text } = await call('PUT', '/v1/retention', { rules, ...more });
  assert.equal(status, 200, text);
};
/** Kept without its texts, which no key opens. */
const shredded = 'expired';

test('texts go by the rule that names most of a run, records stay, and it is told what went', async () => {
  const ids = [await old(40), await old(40, 'letter'), await old(10, 'letter'), await old(3, 'letter')];
  await sql(`update pattern.finished set environment = 'production' where id = $1`, [ids[2]]);
  const rows = () =>
    sql<{ id: string; stored: boolean }>(
      'select id, payload is not null as stored from pattern.finished where id = any($1::uuid[]) order by id',
      [ids],
    );
  await put([
    { of: 'runs', days: 60 },
    { of: 'runs', data_class: 'personal', days: 30 },
    { of: 'runs', data_class: 'personal', environment: 'production', days: 7 },
  ]);
  for (let tries = 0; tries < 200 && (await rows()).filter(({ stored }) => !stored).length < 2; tries++) {
    await systemClock.sleep(25);
  }
  const left = new Map((await rows()).map(({ id, stored }) => [id, stored]));
  assert.deepEqual(
    ids.map((id) => left.get(id)),
    [true, false, false, true],
  );
  assert.equal(await stateOf(ids[1] as string), shredded);
  const { body } = await call('GET', '/v1/retention/removals');
  assert.deepEqual(
    body.items
      .map(({ reason, of, way, data_class, environment, count }: Record<string, unknown>) =>
        [reason, of, way, data_class, environment, count].join(' '),
      )
      .sort(),
    ['retention runs shredded personal development 1', 'retention runs shredded personal production 1'],
  );
  const page = await call('GET', '/v1/retention/removals?limit=1');
  assert.deepEqual([page.body.items.length, typeof page.body.next], [1, 'string']);
  await put([]);
});

test('a hold keeps what it covers from retention, and what it held goes once it is lifted', async () => {
  const [held, other] = [await old(50, 'letter'), await old(50)];
  const hold = await call('PUT', '/v1/holds/court', { reason: 'a lawsuit', subject: 'of letter' });
  assert.equal(hold.status, 200, hold.text);
  await put([{ of: 'records', days: 45 }]);
  await until([other], ['gone']);
  const [row] = await sql<{ stored: boolean }>(
    'select payload is not null as stored from pattern.finished where id = $1',
    [held],
  );
  assert.deepEqual(row, { stored: true });
  assert.equal((await call('DELETE', '/v1/holds/court')).status, 200);
  await until([held], ['gone']);
  assert.deepEqual(await sql('select from pattern.accepted where id = any($1::uuid[])', [[held, other]]), []);
  await put([]);
});

test('a week of which all is past is dropped, one with rows of another workspace is not', async () => {
  const weekOf = async (days: number) => {
    const [row] = await sql<{ week: string; low: string; high: string }>(
      `select to_char(monday, 'IYYY"w"IW') as week, pattern.uuid_at(monday at time zone 'utc') as low,
          pattern.uuid_at((monday + interval '7 days') at time zone 'utc') as high
         from (select date_trunc('week', (now() - make_interval(days => $1)) at time zone 'utc') as monday) as m`,
      [days],
    );
    const { week, low, high } = row as { week: string; low: string; high: string };
    for (const parent of ['accepted', 'finished']) {
      const name = `pattern.${parent}_${week}`;
      await sql(`create table ${name} (like pattern.${parent} including all)`);
      const [owner] = await sql<{ owner: string }>(
        `select pg_get_userbyid(relowner) as owner from pg_class where oid = 'pattern.finished'::regclass`,
      );
      await sql(`alter table ${name} owner to ${owner?.owner}`);
      await sql(`alter table ${name} enable row level security, force row level security`);
      await sql(`alter table pattern.${parent} attach partition ${name} for values from ('${low}') to ('${high}')`);
    }
    return `finished_${week}`;
  };
  const exists = async (table: string) => (await sql('select from pg_class where relname = $1', [table])).length > 0;
  const [mixed, past] = [await weekOf(400), await weekOf(500)];
  const ids = [await old(500), await old(500), await old(400)];
  const theirs = await old(400, 'plain', platform.beta.ownerKey);
  await put([{ of: 'records', days: 300 }]);
  await until(ids, ['gone', 'gone', 'gone']);
  for (let tries = 0; tries < 200 && (await exists(past)); tries++) await systemClock.sleep(25);
  assert.deepEqual([await exists(past), await exists(mixed)], [false, true]);
  assert.equal((await sql('select from pattern.finished where id = $1', [theirs])).length, 1);
  const { body } = await call('GET', '/v1/retention/removals');
  const dropped = body.items.find(({ way }: { way: string }) => way === 'dropped');
  assert.deepEqual([dropped?.of, dropped?.count, dropped?.reason], ['records', 2, 'retention']);
  assert.equal((await call('POST', '/v1/runs', { pattern: 'plain', input: 'goes on' })).status, 200);
  await put([]);
});

test('batches, sessions and ticks go by their own ends', async () => {
  const batch = await call('POST', '/v1/batches', { pattern: 'plain', items: [{ input: 'a' }, { input: 'b' }] });
  const id = batch.body.id as string;
  for (let tries = 0; tries < 400; tries++) {
    if ((await call('GET', `/v1/batches/${id}`)).body.finished_at !== null) break;
    await systemClock.sleep(25);
  }
  for (const session of ['idle', 'busy', 'held']) {
    await call('POST', '/v1/runs', { pattern: session === 'held' ? 'letter' : 'plain', input: 'hi', session });
  }
  const timer = { cron: '0 6 * * *', run: { pattern: 'plain', input: 'x' } };
  await call('PUT', '/v1/timers/nightly', timer);
  await sql(`insert into pattern.timer_tick (workspace, timer, at, fired_at, state)
    select workspace, name, now() - interval '9 days', now() - interval '9 days', 'missed' from pattern.timer`);
  await sql(`update pattern.batch set finished_at = now() - interval '9 days' where id = $1`, [id]);
  await sql(`update pattern.session set updated_at = now() - interval '9 days' where name <> 'busy'`);
  await call('PUT', '/v1/holds/letters', { reason: 'audit', pattern: 'letter' });
  await put([
    { of: 'batches', data_class: 'internal', days: 8 },
    { of: 'sessions', days: 8 },
    { of: 'timer_ticks', days: 8 },
  ]);
  const sessions = async () =>
    (await call('GET', '/v1/sessions')).body.items.map(({ name }: { name: string }) => name).join(' ');
  for (let tries = 0; tries < 200 && (await sessions()) !== 'busy held'; tries++) await systemClock.sleep(25);
  assert.equal(await sessions(), 'busy held');
  assert.equal((await call('GET', `/v1/batches/${id}`)).status, 404);
  assert.deepEqual((await call('GET', '/v1/timers/nightly/ticks')).body.items, []);
  const byHand = await call('DELETE', '/v1/sessions/held');
  assert.deepEqual([byHand.status, byHand.body.code], [409, 'on_hold']);
  await call('DELETE', '/v1/holds/letters');
  for (let tries = 0; tries < 200 && (await sessions()) !== 'busy'; tries++) await systemClock.sleep(25);
  assert.equal(await sessions(), 'busy');
});

test('what makes no sense is refused, and who may not is', async () => {
  const wrong = (rules: unknown[]) => call('PUT', '/v1/retention', { rules });
  assert.equal((await wrong([{ of: 'sessions', data_class: 'personal', days: 3 }])).body.pointer, '/rules/0');
  assert.equal(
    (
      await wrong([
        { of: 'runs', days: 3 },
        { of: 'runs', days: 4 },
      ])
    ).body.pointer,
    '/rules/1',
  );
  assert.equal((await wrong([{ of: 'runs', days: 0 }])).status, 400);
  assert.equal((await wrong([{ of: 'audit', days: 3 }])).status, 400);
  const operator = await platform.keyFor('operator');
  assert.equal((await call('PUT', '/v1/retention', { rules: [] }, { key: operator })).status, 403);
  const admin = await platform.keyFor('admin');
  assert.equal((await call('GET', '/v1/retention', undefined, { key: admin })).status, 200);
  const trail = await sql(`select from pattern.audit where action = 'putRetention'`);
  const said = await sql(`select from pattern.outbox where name = 'pattern.retention-put'`);
  assert.ok(trail.length > 0 && trail.length === said.length);
});
