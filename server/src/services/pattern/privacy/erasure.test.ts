import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { withConnection } from '#platform/database/own-connection.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { dumpTables } from './dump-for-tests.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;
const echo: Script = ({ messages }, answer) => answer.say(`Said: ${messages.at(-1)?.content}`);

before(async () => {
  model = await startModelServer((call, answer) => (script ?? echo)(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await publish('plain', 'cache: {ttl_seconds: 3600}\n');
  await publish('letter', 'data_class: personal\n');
  const files = [{ path: 'pattern.yaml', content: 'steps:\n  one: {pattern: letter}\noutput: $steps.one.output\n' }];
  assert.equal((await call('POST', '/v1/patterns', { name: 'post', files })).status, 201);
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const call: TestPlatform['call'] = (...args) => platform.call(...args);
async function publish(name: string, yaml: string) {
  const files = [
    { path: 'system.md', content: 'Say it.' },
    { path: 'pattern.yaml', content: `model: openai/test\n${yaml}` },
  ];
  const made = await call('POST', '/v1/patterns', { name, files });
  assert.equal(made.status, 201, made.text);
}
async function run(pattern: string, fields: object) {
  const made = await call('POST', '/v1/runs', { pattern, ...fields });
  assert.ok(made.status < 300, made.text);
  return made.body;
}
async function poll(path: string, holds: (body: Record<string, unknown>) => boolean) {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await call('GET', path);
    if (holds(body)) return body;
    await systemClock.sleep(25);
  }
  throw new Error(`${path} did not come so far`);
}
const ended = (path: string) => poll(path, ({ finished_at }) => finished_at !== null);
async function erase(subject: string) {
  const asked = await call('POST', '/v1/subjects/erasures', { subject });
  assert.equal(asked.status, 202, asked.text);
  return poll(`/v1/subjects/erasures/${asked.body.id}`, ({ state }) => state !== 'running');
}
const sql = <Row extends object>(text: string, values: unknown[] = []) =>
  withConnection(platform.connection, async (client) => (await client.query<Row>(text, values)).rows);

/** A bit of everything that can be kept about somebody. `mark` is in all of its texts. */
async function live(subject: string, mark: string) {
  const first = await run('letter', { input: `${mark}-letter`, subject, metadata: { about: `${mark}-meta` } });
  const cached = await run('plain', { input: `${mark}-plain`, subject });
  await run('letter', { input: `${mark}-turn`, subject, session: 'talk' });
  await run('post', { input: `${mark}-chain`, metadata: { subject } });
  const queued = await run('letter', { input: `${mark}-queued`, subject, mode: 'async', start_at: later() });
  const items = [
    { input: `${mark}-line`, metadata: { subject } },
    { input: 'of nobody' },
    { input: `${mark}-late`, metadata: { subject } },
  ];
  const batch = await call('POST', '/v1/batches', { pattern: 'letter', items, concurrency: 1 });
  const lines = batch.body.id;
  await ended(`/v1/batches/${lines}`);
  const waiting = await call('POST', '/v1/batches', { pattern: 'letter', items, start_at: later() });
  const timer = { cron: '0 6 * * *', run: { pattern: 'letter', input: `${mark}-timer`, metadata: { subject } } };
  const name = `daily_${mark.toLowerCase()}`;
  assert.equal((await call('PUT', `/v1/timers/${name}`, timer)).status, 200);
  return { first, cached, queued, lines, waiting: waiting.body.id, timer: name };
}
const later = () => new Date(Date.now() + 3_600_000).toISOString();

test('what is kept about a subject is exported a page at a time, and by nobody below an admin', async () => {
  const marked = await live('ada@example.org', 'ADA');
  const kinds: Record<string, number> = {};
  const texts: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await call('POST', '/v1/subjects/export', {
      subject: 'ada@example.org',
      limit: 2,
      ...(cursor ? { cursor } : {}),
    });
    assert.equal(page.status, 200, page.text);
    for (const item of page.body.items) {
      kinds[item.kind] = (kinds[item.kind] ?? 0) + 1;
      texts.push(JSON.stringify(item));
    }
    cursor = page.body.next;
  } while (cursor);
  assert.deepEqual(kinds, { run: 7, turn: 2, batch_line: 4, timer: 1 });
  for (const part of ['letter', 'meta', 'plain', 'turn', 'chain', 'queued', 'line', 'late', 'timer']) {
    assert.ok(
      texts.some((text) => text.includes(`ADA-${part}`)),
      part,
    );
  }
  const chain = texts.map((text) => JSON.parse(text)).find(({ run }) => run?.pattern === 'post');
  assert.equal(chain.steps[0].output, 'Said: ADA-chain');
  const operator = await platform.keyFor('operator');
  const body = { subject: 'ada@example.org' };
  assert.equal((await call('POST', '/v1/subjects/export', body, { key: operator })).status, 403);
  assert.equal((await call('POST', '/v1/subjects/erasures', body, { key: operator })).status, 403);
  assert.equal((await call('POST', '/v1/subjects/export', { subject: '' })).status, 400);
  const other = await call('POST', '/v1/subjects/export', body, { key: platform.beta.ownerKey });
  assert.deepEqual(other.body.items, []);
  const audit = await sql<{ subject: string }>(`select subject from pattern.audit where action = 'exportSubject'`);
  assert.ok(audit.length > 0 && audit.every(({ subject }) => /^subject\/[\w-]{43}$/.test(subject)));
  assert.ok(marked.first.id);
});

test('an erased subject is nowhere in any table, its records stay, and its neighbours are whole', async () => {
  const bob = await live('bob@example.org', 'BOB');
  const own = await live('eve@example.org', 'EVE');
  const before = await dumpTables(platform);
  assert.ok(before.find('EVE-').length >= 6, String(before.find('EVE-')));
  const count = () => sql<{ count: string }>('select count(*) from pattern.finished');
  const kept = await sql<{ payload: Buffer }>('select payload from pattern.finished where id = $1', [own.first.id]);

  const erased = await erase('eve@example.org');
  assert.equal(erased.state, 'done', JSON.stringify(erased));
  assert.equal(erased.cancelled, 1);
  const { removed } = erased as unknown as { removed: Record<string, number> };
  assert.deepEqual(removed, { runs: 7, steps: 1, pieces: 0, turns: 2, batch_lines: 4, timers: 1, keys: 1 });

  const dump = await dumpTables(platform);
  assert.deepEqual([dump.find('EVE-'), dump.find('eve@example.org'), dump.unreadable], [[], [], []]);
  for (const part of ['letter', 'meta', 'plain', 'turn', 'chain', 'queued', 'line', 'late', 'timer']) {
    assert.ok(dump.find(`BOB-${part}`).length > 0, part);
  }
  const record = (await call('GET', `/v1/runs/${own.first.id}`)).body;
  assert.deepEqual(
    [record.texts, record.input, record.output, record.subject, record.metadata, record.usage.output_tokens],
    ['erased', null, null, undefined, {}, 7],
  );
  assert.equal((await call('GET', '/v1/runs?subject=eve@example.org')).body.items.length, 0);
  assert.equal((await call('GET', `/v1/runs/${bob.first.id}`)).body.output, 'Said: BOB-letter');
  assert.equal((await call('GET', `/v1/timers/${own.timer}`)).status, 404);
  assert.equal((await call('GET', `/v1/timers/${bob.timer}`)).status, 200);
  const turns = (await call('GET', '/v1/sessions/talk/turns')).body.items.map(
    ({ content }: { content: string }) => content,
  );
  assert.deepEqual(turns.filter((text: string) => text === '(erased)').length, 2);
  assert.ok(turns.includes('Said: BOB-turn'));

  const again = await run('plain', { input: 'EVE-plain' });
  assert.equal(again.cached, undefined, 'the cache forgot');
  const rows = await sql<{ count: string }>(`select count(*) from pattern.finished where texts = 'erased'`);
  assert.equal(Number(rows[0]?.count), 7);
  assert.ok(Number((await count())[0]?.count) > 7);

  // An old copy of the rows put back: what was personal stays unreadable.
  await sql('update pattern.finished set payload = $2 where id = $1', [own.first.id, kept[0]?.payload]);
  const restored = (await call('GET', `/v1/runs/${own.first.id}`)).body;
  assert.deepEqual([restored.input, restored.output], [null, null]);
  assert.deepEqual((await dumpTables(platform)).find('EVE-letter'), []);
  await sql('update pattern.finished set payload = null where id = $1', [own.first.id]);

  // Lines that were still to be run end without a run.
  await sql(`update pattern.batch set ready_at = now() where id = $1`, [own.waiting]);
  const batch = (await ended(`/v1/batches/${own.waiting}`)) as unknown as { lines: Record<string, number> };
  assert.deepEqual([batch.lines.succeeded, batch.lines.cancelled], [1, 2]);
  const audit = await sql<{ details: { state?: string; runs?: number } }>(
    `select details from pattern.audit where action = 'endErasure'`,
  );
  assert.deepEqual([audit.at(-1)?.details.state, audit.at(-1)?.details.runs], ['done', 7]);
});

test('while a subject is erased no run may name it, what is under way is broken off, and asking twice is asking once', async () => {
  let calls = 0;
  script = () => {
    calls += 1;
    return new Promise(() => undefined);
  };
  const open = call('POST', '/v1/runs', { pattern: 'letter', input: 'KIM-open', subject: 'kim' });
  while (calls === 0) await systemClock.sleep(5);
  const asked = await call('POST', '/v1/subjects/erasures', { subject: 'kim' });
  const twice = await call('POST', '/v1/subjects/erasures', { subject: 'kim' });
  assert.equal(twice.body.id, asked.body.id);
  const refused = await call('POST', '/v1/runs', { pattern: 'letter', input: 'x', subject: 'kim' });
  assert.deepEqual([refused.status, refused.body.code], [409, 'subject_erasing']);
  assert.equal((await open).body.code, 'run_cancelled');
  script = undefined;
  const done = await poll(`/v1/subjects/erasures/${asked.body.id}`, ({ state }) => state !== 'running');
  assert.deepEqual([done.state, done.cancelled], ['done', 1]);
  assert.deepEqual((await dumpTables(platform)).find('KIM-'), []);
  const after = await run('letter', { input: 'KIM-new', subject: 'kim' });
  assert.equal((await call('GET', `/v1/runs/${after.id}`)).body.output, 'Said: KIM-new');
  const listed = await call('GET', '/v1/subjects/erasures?limit=1');
  assert.deepEqual([listed.body.items[0].id, typeof listed.body.next], [asked.body.id, 'string']);
});

test('a hold on the subject, on a pattern of its runs or on their time refuses the erasure and says why', async () => {
  await run('plain', { input: 'held', subject: 'lea' });
  const hold = (name: string, fields: object) => call('PUT', `/v1/holds/${name}`, { reason: 'case 4711', ...fields });
  const attempt = () => call('POST', '/v1/subjects/erasures', { subject: 'lea' });
  for (const fields of [{ subject: 'lea' }, { pattern: 'plain' }, { since: '2026-01-01T00:00:00Z' }]) {
    const placed = await hold('case', fields);
    assert.equal(placed.status, 200, placed.text);
    const refused = await attempt();
    assert.deepEqual([refused.status, refused.body.code], [409, 'on_hold']);
    assert.match(refused.body.detail, /legal hold case .* case 4711/);
  }
  await hold('case', { subject: 'somebody else' });
  const listed = await call('GET', '/v1/holds');
  assert.deepEqual(
    listed.body.items.map(({ name, subject }: { name: string; subject: string }) => [name, subject]),
    [['case', 'somebody else']],
  );
  await hold('case', { subject: 'somebody else', pattern: 'plain', until: '2026-01-01T00:00:00Z' });
  assert.equal((await hold('none', {})).status, 400);
  assert.equal((await call('DELETE', '/v1/holds/case')).status, 200);
  assert.equal((await call('DELETE', '/v1/holds/case')).status, 404);
  const author = await platform.keyFor('author');
  assert.equal((await call('PUT', '/v1/holds/mine', { reason: 'x', subject: 'a' }, { key: author })).status, 403);
  const trail = await sql<{ action: string; details: unknown }>(
    `select action, details from pattern.audit where action in ('putHold', 'deleteHold') order by at`,
  );
  assert.deepEqual(
    trail.map(({ action }) => action),
    ['putHold', 'putHold', 'putHold', 'putHold', 'putHold', 'deleteHold'],
  );
  assert.ok(!JSON.stringify(trail).includes('lea'), 'the trail names nobody');
  assert.equal((await erase('lea')).state, 'done');
});

test('an erasure whose process died is gone on with by whoever finds it', async () => {
  const { id } = await run('letter', { input: 'ZOE-left', subject: 'zoe' });
  const erasure = '01900000-0000-7000-8000-00000000000e';
  await sql(
    `insert into pattern.erasure (workspace, id, subject, state)
     select workspace, $2, subject, 'running' from pattern.finished where id = $1`,
    [id, erasure],
  );
  await sql(`update platform.topic set version = version + 1 where name = 'pattern.privacy'`);
  const done = await poll(`/v1/subjects/erasures/${erasure}`, ({ state }) => state !== 'running');
  assert.equal(done.state, 'done');
  assert.deepEqual((await dumpTables(platform)).find('ZOE-'), []);
});
