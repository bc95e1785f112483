import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type Answer, type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;

before(async () => {
  model = await startModelServer((call, answer) => (script ?? ((_, given) => given.say('Hello.')))(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet kindly.' });
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', model: 'openai/test', mode: 'async' };
const start = (fields: object = {}, headers: Record<string, string> = {}) =>
  platform.call('POST', '/v1/runs', { ...greet, ...fields }, { headers });
const read = async (id: string) => (await platform.call('GET', `/v1/runs/${id}`)).body;
const later = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();

async function until(id: string, holds: (run: Record<string, unknown>) => boolean) {
  for (let tries = 0; tries < 400; tries++) {
    const run = await read(id);
    if (holds(run)) return run;
    await systemClock.sleep(25);
  }
  throw new Error(`The run did not come so far: ${JSON.stringify(await read(id))}`);
}
const ended = (id: string) => until(id, ({ finished_at }) => finished_at !== null);

/** Answers when it is told to. */
function held() {
  const answers: Answer[] = [];
  script = (_, answer) => {
    answers.push(answer);
    return new Promise(() => undefined);
  };
  return async () => {
    for (let tries = 0; answers.length === 0 && tries < 400; tries++) await systemClock.sleep(10);
    return answers.shift() as Answer;
  };
}

test('an asynchronous run is answered at once and executed by itself', async () => {
  const accepted = await start({ metadata: { ticket: 'x' }, subject: 'mia' });
  assert.equal(accepted.status, 202, accepted.text);
  assert.equal(accepted.body.status, 'queued');
  assert.equal(accepted.body.queue.priority, 'interactive');
  const run = await ended(accepted.body.id);
  assert.equal(run.status, 'succeeded', JSON.stringify(run));
  assert.equal(run.output, 'Hello.');
  assert.equal(run.input, 'now');
  assert.equal(run.subject, 'mia');
  assert.equal(run.attempts.length, 1);
  assert.equal(run.queue, undefined);
  assert.deepEqual(run.metadata, { ticket: 'x' });
});

test('what is not possible is refused before anything is accepted', async () => {
  const before = (await platform.call('GET', '/v1/runs')).body.items.length;
  for (const [fields, pointer] of [
    [{ deadline: '2020-01-01T00:00:00Z' }, '/deadline'],
    [{ deadline: 'soon' }, '/deadline'],
    [{ start_at: later(2_000), deadline: later(1_000) }, '/deadline'],
    [{ start_at: '2099-01-01T00:00:00Z' }, '/start_at'],
    [{ session: 'talk' }, '/session'],
    [{ stream: true }, '/stream'],
    [{ on_disconnect: 'cancel' }, '/on_disconnect'],
    [{ priority: 'now' }, '/priority'],
    [{ mode: 'sync', deadline: later(60_000) }, '/deadline'],
    [{ mode: 'sync', priority: 'bulk' }, '/priority'],
  ] as const) {
    const reply = await start(fields);
    assert.equal(reply.status, 400, JSON.stringify([fields, reply.body]));
    assert.equal(reply.body.pointer, pointer, JSON.stringify(reply.body));
  }
  assert.equal((await start({ pattern: 'nobody_has_it' })).status, 404);
  assert.equal((await start({ model: 'nobody/model' })).body.code, 'model_not_found');
  assert.equal((await start({ input: ' ' })).body.pointer, '/input');
  assert.equal((await platform.call('GET', '/v1/runs')).body.items.length, before);
});

test('a queued run waits for its time, is listed meanwhile, and is cancelled at once', async () => {
  const calls = model.calls.length;
  const { body } = await start({ start_at: later(600_000), priority: 'bulk', subject: 'tom' });
  const run = await read(body.id);
  assert.deepEqual([run.status, run.queue.priority, run.queue.deliveries], ['queued', 'bulk', 0]);
  const listed = async (query: string) => (await platform.call('GET', `/v1/runs?${query}`)).body.items;
  for (const query of ['status=queued', 'limit=1', 'subject=tom']) {
    const [first] = await listed(query);
    assert.equal(first.id, body.id, query);
    assert.equal(first.status, 'queued');
  }
  assert.ok(!(await listed('status=running')).some(({ id }: { id: string }) => id === body.id));
  const cancelled = await platform.call('POST', `/v1/runs/${body.id}/cancel`);
  assert.deepEqual([cancelled.status, cancelled.body.status], [202, 'cancelled']);
  const end = await read(body.id);
  assert.deepEqual([end.status, end.cost_micros, end.input, end.attempts.length], ['cancelled', 0, 'now', 0]);
  assert.equal((await platform.call('POST', `/v1/runs/${body.id}/cancel`)).body.code, 'run_finished');
  assert.equal(model.calls.length, calls);
});

test('a deadline ends what waits and what runs', async () => {
  const waiting = await start({ start_at: later(3_000), deadline: later(3_500), model: 'openai/slow' });
  const next = held();
  const running = await start({ deadline: later(1_200) });
  await next();
  const end = await ended(running.body.id);
  assert.deepEqual([end.status, end.error.code], ['failed', 'timeout']);
  await platform.call('POST', `/v1/runs/${waiting.body.id}/cancel`);
});

test('cancel stops the call of a running run', async () => {
  const next = held();
  const { body } = await start();
  const answer = await next();
  answer.chunk({ choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }] });
  await until(body.id, ({ status }) => status === 'running');
  assert.equal((await platform.call('POST', `/v1/runs/${body.id}/cancel`)).status, 202);
  const end = await ended(body.id);
  assert.deepEqual([end.status, end.error.code], ['cancelled', 'run_cancelled']);
  assert.equal(end.attempts[0].outcome, 'cancelled');
  assert.equal(end.output, 'Hel');
});

test('what was pinned is run: not a newer version, and also after the pattern is gone', async () => {
  await platform.call('POST', '/v1/patterns', { name: 'pinned', system: 'The first.' });
  const { body } = await start({ pattern: 'pinned', start_at: later(1_500) });
  await platform.call('POST', '/v1/patterns/pinned/versions', { system: 'The second.' });
  await platform.call('DELETE', '/v1/patterns/pinned');
  await platform.call('POST', '/v1/patterns', { name: 'pinned', system: 'The third.' });
  let system: unknown;
  script = (call, answer) => {
    system = call.messages[0]?.content;
    answer.say('Done.');
  };
  const run = await ended(body.id);
  assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
  assert.equal(system, 'The first.');
  assert.equal(run.version, 1);
});

test('a key leads to one run: the same one again, another body refused', async () => {
  const key = randomUUID();
  const calls = model.calls.length;
  const next = held();
  const replies = await Promise.all(Array.from({ length: 8 }, () => start({}, { 'idempotency-key': key })));
  assert.deepEqual(
    replies.map(({ status }) => status),
    Array(8).fill(202),
  );
  const ids = new Set(replies.map(({ body }) => body.id));
  assert.equal(ids.size, 1);
  assert.equal(replies.filter(({ body }) => body.replayed).length, 7);
  assert.equal((await start({ input: 'other' }, { 'idempotency-key': key })).body.code, 'idempotency_key_reused');
  const [id] = [...ids];
  (await next()).say('Once.');
  await ended(id);
  const again = await start({}, { 'idempotency-key': key });
  assert.deepEqual([again.status, again.body.status, again.body.output], [202, 'succeeded', 'Once.']);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.equal(model.calls.length, calls + 1);
});

test('a failed run is retried as a new one that points to it; one that succeeded is not', async () => {
  script = (_, answer) => {
    answer.response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
  };
  const { body } = await start({ variables: {}, metadata: { a: 'b' } });
  const failed = await ended(body.id);
  assert.equal(failed.status, 'failed');
  script = undefined;
  const key = randomUUID();
  const retry = () => platform.call('POST', `/v1/runs/${body.id}/retry`, {}, { headers: { 'idempotency-key': key } });
  const retried = await retry();
  assert.deepEqual([retried.status, retried.body.rerun_of], [202, body.id], retried.text);
  assert.equal((await retry()).body.id, retried.body.id);
  const run = await ended(retried.body.id);
  assert.deepEqual([run.status, run.version, run.metadata.a], ['succeeded', failed.version, 'b']);
  assert.equal((await platform.call('POST', `/v1/runs/${run.id}/retry`, {})).body.code, 'run_not_failed');
  assert.equal((await platform.call('POST', `/v1/runs/${randomUUID()}/retry`, {})).status, 404);
});

test('nothing is decided about a run that waits for nobody', async () => {
  const { body } = await start({ start_at: later(600_000) });
  const decide = (id: string, fields: object) => platform.call('POST', `/v1/runs/${id}/decisions`, fields);
  assert.equal((await decide(body.id, { decision: 'approve' })).body.code, 'not_waiting');
  assert.equal((await decide(body.id, { decision: 'maybe' })).status, 400);
  assert.equal((await decide(randomUUID(), { decision: 'approve' })).status, 404);
  await platform.call('POST', `/v1/runs/${body.id}/cancel`);
  assert.equal((await decide(body.id, { decision: 'approve' })).body.code, 'run_finished');
});

test('an answer of a form is put right before it counts, and one that is kept is given again', async () => {
  const publish = (name: string, yaml: string) =>
    platform.call('POST', '/v1/patterns', {
      name,
      files: [
        { path: 'system.md', content: 'Answer in JSON.' },
        { path: 'pattern.yaml', content: yaml },
      ],
    });
  await publish('formed', 'output:\n  type: json\ncache:\n  ttl_seconds: 60\n');
  let asked = 0;
  script = (_, answer) => answer.say(asked++ === 0 ? 'not yet' : '{"a":1}');
  const first = await ended((await start({ pattern: 'formed' })).body.id);
  assert.deepEqual([first.status, first.data, first.attempts.length], ['succeeded', { a: 1 }, 2]);
  const again = await ended((await start({ pattern: 'formed' })).body.id);
  assert.deepEqual([again.cached, again.cached_from, again.cost_micros, asked], [true, first.id, 0, 2]);
  assert.deepEqual([again.data, again.attempts], [{ a: 1 }, []]);
  const waited = await platform.call('POST', '/v1/runs', { pattern: 'formed', input: 'now', model: 'openai/test' });
  assert.deepEqual([waited.status, waited.body.cached_from], [200, first.id]);
});

test('a model that asks for tools is heard, and attachments go along', async () => {
  let sent: unknown;
  script = (call, answer) => {
    sent = call.messages.at(-1)?.content;
    answer.chunk({
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 0, id: 'c1', function: { name: 'look', arguments: '{"at":"x"}' } }] },
          finish_reason: null,
        },
      ],
    });
    answer.chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    answer.chunk('[DONE]');
    answer.response.end();
  };
  const tools = [{ name: 'look', parameters: { type: 'object' } }];
  const attachments = [{ type: 'text', name: 'note.txt', text: 'Remember the milk.' }];
  const run = await ended((await start({ tools, attachments })).body.id);
  assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
  assert.match(String(sent), /Remember the milk/);
  assert.deepEqual([run.stop_reason, run.tool_calls?.[0]?.name], ['tool_calls', 'look']);
  assert.equal(run.attachments[0].name, 'note.txt');
});

test('a broken text is sanitised and stored', async () => {
  script = (_, answer) => answer.say('a\u0000b\ud800c');
  const odd = await ended((await start()).body.id);
  assert.deepEqual([odd.status, odd.output, odd.sanitised], ['succeeded', 'a\ufffdb\ufffdc', true]);
});
