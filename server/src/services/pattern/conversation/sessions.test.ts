import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let pool: pg.Pool;
let script: Script | undefined;

before(async () => {
  model = await startModelServer((call, answer) =>
    (script ?? ((asked, given) => given.say(`You said ${asked.messages.at(-1)?.content}.`)))(call, answer),
  );
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  await platform.call('POST', '/v1/patterns', { name: 'chat', system: 'Be kind.' });
  await platform.call('POST', '/v1/patterns', { name: 'curt', system: 'Be curt.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await pool.end();
  await platform.stop();
  await model.close();
});

const run = (session: string, input: string, fields: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern: 'chat', input, model: 'openai/test', session, ...fields });
const turnsOf = async (session: string) =>
  (await platform.call('GET', `/v1/sessions/${session}/turns`)).body.items?.map(
    ({ role, content }: { role: string; content: string }) => `${role}: ${content}`,
  );
const sent = () => model.calls.at(-1)?.messages.map(({ role, content }) => `${role}: ${content}`);
const coded = ({ status, body }: { status: number; body: { code?: string } }) => `${status} ${body.code ?? ''}`.trim();

/** Answers only when it is let go; resolves when the model was called. */
function hold(): { called: Promise<void>; letGo: () => void } {
  const called = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  script = async (_, answer) => {
    called.resolve();
    await go.promise;
    answer.say('At last.');
  };
  return { called: called.promise, letGo: go.resolve };
}

test('each run of a session sends what was said before, with its own system message first and once', async () => {
  const first = await run('trip', 'Hello');
  assert.equal(first.status, 200, first.text);
  assert.equal(first.body.session, 'trip');
  await run('trip', 'Trains?', { pattern: 'curt' });
  assert.deepEqual(sent(), ['system: Be curt.', 'user: Hello', 'assistant: You said Hello.', 'user: Trains?']);
  const stream = await run('trip', 'Planes?', { stream: true });
  assert.match(stream.text, /event: run\.succeeded/);
  assert.deepEqual(await turnsOf('trip'), [
    'user: Hello',
    'assistant: You said Hello.',
    'user: Trains?',
    'assistant: You said Trains?.',
    'user: Planes?',
    'assistant: You said Planes?.',
  ]);
  const { body: session } = await platform.call('GET', '/v1/sessions/trip');
  assert.deepEqual([session.turns, session.bytes > 60], [6, true]);
  const { body: turns } = await platform.call('GET', '/v1/sessions/trip/turns?limit=1');
  assert.equal(turns.items[0].run, first.body.id);
  const { body: rest } = await platform.call('GET', `/v1/sessions/trip/turns?limit=200&cursor=${turns.next}`);
  assert.deepEqual([rest.items.length, rest.next], [5, undefined]);
});

test('a preview shows what the next run of a session sends, and makes no session', async () => {
  await run('shown', 'One');
  const { body } = await platform.call('POST', '/v1/render', { pattern: 'chat', input: 'Two', session: 'shown' });
  await run('shown', 'Two');
  assert.deepEqual(model.calls.at(-1)?.messages, body.messages);
  const fresh = await platform.call('POST', '/v1/render', { pattern: 'chat', input: 'x', session: 'never_used' });
  assert.equal(fresh.body.messages.length, 2);
  assert.equal((await platform.call('GET', '/v1/sessions/never_used')).status, 404);
});

test('a run that fails or is cancelled appends nothing and leaves no empty session', async () => {
  script = (_, answer) => {
    answer.response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
  };
  assert.equal((await run('failing', 'x')).status, 502);
  assert.equal((await platform.call('GET', '/v1/sessions/failing')).status, 404);
  script = undefined;
  await run('failing', 'Hello');
  const held = hold();
  const leave = new AbortController();
  const left = fetch(`${platform.url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ pattern: 'chat', input: 'lost', model: 'openai/test', session: 'failing' }),
    signal: leave.signal,
  }).catch(() => undefined);
  await held.called;
  leave.abort();
  await left;
  script = undefined;
  let again = await run('failing', 'Still there?');
  for (let tries = 0; again.status === 409 && tries < 100; tries++) {
    await systemClock.sleep(20);
    again = await run('failing', 'Still there?');
  }
  assert.deepEqual(sent(), ['system: Be kind.', 'user: Hello', 'assistant: You said Hello.', 'user: Still there?']);
  // What is refused before a call goes out gives the session back, too.
  assert.equal((await run('failing', 'x', { model: 'openai/test', context: 'nobodys' })).status, 404);
  assert.equal((await run('failing', 'Hm')).status, 200);
});

test('of two runs at the same time in one session the second is refused; other sessions go on', async () => {
  await run('shared', 'Hello');
  const held = hold();
  const first = run('shared', 'Slowly');
  await held.called;
  script = undefined;
  const second = await run('shared', 'Quickly');
  assert.equal(coded(second), '409 session_busy');
  assert.equal(second.body.pointer, '/session');
  assert.equal(coded(await platform.call('PUT', '/v1/sessions/shared', { turns: [] })), '409 session_busy');
  assert.equal((await run('elsewhere', 'Hello')).status, 200);
  held.letGo();
  assert.equal((await first).status, 200);
  assert.deepEqual(await turnsOf('shared'), [
    'user: Hello',
    'assistant: You said Hello.',
    'user: Slowly',
    'assistant: At last.',
  ]);
  assert.equal((await run('shared', 'Next')).status, 200);
  const many = await Promise.all(Array.from({ length: 6 }, (_, i) => run('crowd', `${i}`)));
  const won = many.filter(({ status }) => status === 200).length;
  assert.ok(won >= 1 && many.every(({ status }) => status === 200 || status === 409));
  assert.equal((await turnsOf('crowd')).length, won * 2);
});

test('a session that is deleted while a run is under way stays deleted, and the run succeeds', async () => {
  await run('doomed', 'Hello');
  const held = hold();
  const slow = run('doomed', 'Slowly');
  await held.called;
  const deleted = await platform.call('DELETE', '/v1/sessions/doomed');
  assert.deepEqual([deleted.status, deleted.body.turns], [200, 2]);
  held.letGo();
  assert.equal((await slow).status, 200);
  assert.equal((await platform.call('GET', '/v1/sessions/doomed')).status, 404);
});

test('a conversation is put whole: system turns go out as the user’s, meta turns stay here', async () => {
  const turns = [
    { role: 'meta', content: 'made by hand' },
    { role: 'system', content: 'Summarize: lamps' },
    { role: 'assistant', content: 'Lamps shine.' },
  ];
  const put = await platform.call('PUT', '/v1/sessions/old', { turns });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.body.turns, put.body.bytes], [3, 40]);
  await run('old', 'Why?');
  assert.deepEqual(sent(), ['system: Be kind.', 'user: Summarize: lamps', 'assistant: Lamps shine.', 'user: Why?']);
  assert.deepEqual((await turnsOf('old')).slice(0, 2), ['meta: made by hand', 'system: Summarize: lamps']);
  const requestId = put.headers.get('x-request-id');
  const { rows: audit } = await pool.query('select action, details from pattern.audit where request_id = $1', [
    requestId,
  ]);
  const { rows: events } = await pool.query('select name, data from pattern.outbox where request_id = $1', [requestId]);
  assert.deepEqual(audit, [{ action: 'putSession', details: { turns: 3, bytes: 40 } }]);
  assert.deepEqual(events, [{ name: 'pattern.session-put', data: { session: 'old' } }]);
  const { body: list } = await platform.call('GET', '/v1/sessions?limit=200');
  assert.ok(list.items.some(({ name }: { name: string }) => name === 'old'));
});

test('a session that has grown too long is refused before the model is called', async () => {
  const turns = Array.from({ length: 999 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `${i}` }));
  assert.equal((await platform.call('PUT', '/v1/sessions/long', { turns })).status, 200);
  const calls = model.calls.length;
  assert.equal(coded(await run('long', 'More')), '422 session_too_long');
  assert.equal(model.calls.length, calls);
  const part = { role: 'user', content: 'x'.repeat(3 * 1024 * 1024) };
  const large = await platform.call('PUT', '/v1/sessions/large', { turns: [part, part] });
  assert.equal(coded(large), '422 session_too_long');
  assert.equal((await platform.call('GET', '/v1/sessions/large')).status, 404);
  const roles = await platform.call('PUT', '/v1/sessions/odd', { turns: [{ role: 'tool', content: 'x' }] });
  assert.equal(`${roles.status} ${roles.body.pointer}`, '400 /turns/0/role');
});

test('who may only run goes on in sessions and changes none', async () => {
  const key = await platform.keyFor('runner');
  const body = { pattern: 'chat', input: 'Hi', model: 'openai/test', session: 'runners' };
  assert.equal((await platform.call('POST', '/v1/runs', body, { key })).status, 200);
  assert.equal((await platform.call('GET', '/v1/sessions/runners', undefined, { key })).status, 200);
  const refused = await platform.call('DELETE', '/v1/sessions/runners', undefined, { key });
  assert.deepEqual([refused.status, refused.body.need], [403, 'session:write']);
  const { status } = await platform.call('PUT', '/v1/sessions/runners', { turns: [] }, { key });
  assert.equal(status, 403);
});

test('what was appended counts once the run is recorded as a success, whatever was cut off in between', async () => {
  await run('crash', 'Hello');
  const { rows } = await pool.query(`select id, workspace from pattern.session where name = 'crash'`);
  const [{ id, workspace }] = rows;
  const { rows: last } = await pool.query('select run from pattern.turn where session = $1 limit 1', [id]);
  // As a process leaves it that dies between the end of its run and settling: first of a run that was recorded as a success.
  const gone = '01900000-0000-7000-8000-000000000000';
  const claim = `update pattern.session set claim = $2, claimed_by = $2, claimed_until = now() + interval '1 hour',
    run = $3, turns = turns - 2, pending_turns = 2, bytes = bytes - 20, pending_bytes = 20 where id = $1`;
  await pool.query(claim, [id, gone, last[0].run]);
  assert.equal((await platform.call('GET', '/v1/sessions/crash')).body.turns, 2);
  assert.equal((await turnsOf('crash')).length, 2);
  assert.equal((await run('crash', 'Again')).status, 200);
  assert.equal((await turnsOf('crash')).length, 4);
  // Then of a run that nobody recorded: the process that claimed the session is no more.
  await pool.query(claim, [id, gone, gone]);
  assert.equal((await turnsOf('crash')).length, 2);
  assert.equal((await run('crash', 'Once more')).status, 200);
  assert.deepEqual((await turnsOf('crash')).slice(2), ['user: Once more', 'assistant: You said Once more.']);
  // A claim of a living process that is too old.
  const { rows: living } = await pool.query('select id from platform.process where ended_at is null limit 1');
  const hour = (sign: string) => `update pattern.session set claim = $2, claimed_by = $2,
    claimed_until = now() ${sign} interval '1 hour' where id = $1`;
  await pool.query(hour('+'), [id, living[0].id]);
  assert.equal(coded(await run('crash', 'Busy')), '409 session_busy');
  await pool.query(hour('-'), [id, living[0].id]);
  assert.equal((await run('crash', 'Free')).status, 200);
  const { rows: strays } = await pool.query(
    `select count(*)::int as count from pattern.turn as t join pattern.session as s on s.id = t.session
      where s.workspace = $1 and t.number > s.turns`,
    [workspace],
  );
  assert.equal(strays[0].count, 0);
});

test('a run that asks for tools is in the middle of its turn; the answer ends it', async () => {
  const tool = { name: 'weather', parameters: { type: 'object' } };
  const asked = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
  script = (_, answer) => {
    const choices = [{ message: { content: null, tool_calls: [asked] }, finish_reason: 'tool_calls' }];
    answer.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices }));
  };
  const { body } = await run('tools', 'Rain?', { tools: [tool] });
  assert.equal(body.status, 'succeeded', JSON.stringify(body));
  assert.equal(body.tool_calls.length, 1);
  assert.equal((await platform.call('GET', '/v1/sessions/tools')).status, 404);
  script = (_, answer) => answer.say('No.');
  const tool_turns = [{ tool_calls: body.tool_calls, results: [{ tool_call_id: 'call_1', content: 'dry' }] }];
  assert.equal((await run('tools', 'Rain?', { tools: [tool], tool_turns })).status, 200);
  assert.deepEqual(await turnsOf('tools'), ['user: Rain?', 'assistant: No.']);
});

test('what was said lies in the database sealed only', async () => {
  await run('private', 'The heron flies at noon.');
  for (const table of ['pattern.turn', 'pattern.session', 'pattern.audit', 'pattern.outbox']) {
    const { rows } = await pool.query(`select t::text as row from ${table} as t`);
    const found = rows.some(({ row }) => row.includes('heron') || row.includes(Buffer.from('heron').toString('hex')));
    assert.equal(found, false, table);
  }
});
