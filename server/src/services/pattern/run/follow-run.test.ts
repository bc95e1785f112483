import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
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

interface Event {
  readonly name: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as they come.
  readonly data: any;
}

/** Reads events as they come. `close` leaves. */
function open(path: string, options: { body?: object; lastEventId?: number } = {}) {
  const leave = new AbortController();
  const response = fetch(`${platform.url}${path}`, {
    signal: leave.signal,
    headers: {
      authorization: `Bearer ${platform.alpha.ownerKey}`,
      ...(options.body ? { 'content-type': 'application/json' } : {}),
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': String(options.lastEventId) }),
    },
    ...(options.body ? { method: 'POST', body: JSON.stringify(options.body) } : {}),
  });
  async function* read(): AsyncGenerator<Event> {
    const { body, status } = await response;
    assert.equal(status, 200);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        yield { name: fields.event, id: Number(fields.id), data: JSON.parse(fields.data) };
      }
    }
  }
  return { response, events: read(), close: () => leave.abort() };
}

const greet = { pattern: 'greet', input: 'now', model: 'openai/test', stream: true };
const start = (fields: object = {}) => open('/v1/runs', { body: { ...greet, ...fields } });
const follow = (run: string, after?: number) =>
  open(`/v1/runs/${run}/events${after === undefined ? '' : `?after=${after}`}`);
const textOf = (events: readonly Event[]) =>
  events.flatMap(({ name, data }) => (name === 'output.delta' ? [data.text] : [])).join('');

async function next(events: AsyncGenerator<Event>, name: string): Promise<Event> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`The stream ended before ${name}`);
    if (value.name === name) return value;
  }
}
async function all(events: AsyncGenerator<Event>): Promise<Event[]> {
  const list: Event[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** A model that says what it is told to, when it is told to. */
function hold() {
  let answer: Answer | undefined;
  script = (_, given) => {
    answer = given;
  };
  return {
    async say(text: string) {
      while (!answer) await systemClock.sleep(5);
      answer.chunk({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] });
    },
    end() {
      answer?.chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
      answer?.chunk('[DONE]');
      answer?.response.end();
    },
  };
}

test('who lost the stream reads on where it broke, live, and gets the same end', async () => {
  const told = hold();
  const caller = start({ on_disconnect: 'continue' });
  await told.say('Grüße, ');
  const { data } = await next(caller.events, 'run.accepted');
  const first = await next(caller.events, 'output.delta');
  caller.close();
  const reader = follow(data.id, first.id);
  await reader.response;
  const late = open(`/v1/runs/${data.id}/events`, { lastEventId: first.id });
  await late.response;
  await told.say('Welt 👋');
  told.end();
  const [events, others] = await Promise.all([all(reader.events), all(late.events)]);
  assert.equal(textOf(events), 'Welt 👋');
  assert.deepEqual(events, others);
  assert.deepEqual(events[0], { name: 'output.delta', id: first.id, data: { text: '' } }, 'the place is confirmed');
  const end = events.at(-1) as Event;
  assert.equal(end.name, 'run.succeeded');
  assert.equal(end.data.output, 'Grüße, Welt 👋');
  assert.equal(end.id, Buffer.byteLength(end.data.output));
  // And the same again when it has ended.
  assert.deepEqual((await all(follow(data.id, first.id).events)).at(-1), end);
  const whole = await all(follow(data.id).events);
  assert.equal(whole[0]?.name, 'run.accepted');
  assert.equal(textOf(whole), end.data.output);
});

/** The same numbers each time: a cut that finds a fault finds it again. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('wherever a stream is cut, what is read before and after is the whole text, once', async () => {
  const letters = ['a', 'ß', '漢', '👋', '\n', '"', '\u2028'];
  const random = createRandom(7);
  for (let round = 0; round < 12; round++) {
    const pieces = Array.from({ length: 30 }, () =>
      Array.from({ length: 1 + Math.floor(random() * 40) }, () => letters[Math.floor(random() * letters.length)]).join(
        '',
      ),
    );
    const text = pieces.join('');
    script = async (_, answer) => {
      for (const piece of pieces) {
        answer.chunk({ choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] });
        if (random() < 0.3) await systemClock.sleep(1);
      }
      answer.say('');
    };
    const seen: Event[] = [];
    let reader = start({ on_disconnect: 'continue' });
    let id = '';
    for (let cuts = 0; ; cuts++) {
      let left = cuts < 4 ? Math.floor(random() * 12) : Number.POSITIVE_INFINITY;
      let ended = false;
      for await (const event of reader.events) {
        seen.push(event);
        if (event.name === 'run.accepted') id = event.data.id;
        ended = event.name === 'run.succeeded';
        if (id !== '' && left-- <= 0) break;
      }
      reader.close();
      if (ended) break;
      reader = follow(id, seen.at(-1)?.id);
    }
    assert.equal(textOf(seen), text);
    let bytes = 0;
    for (const { name, id: at, data } of seen) {
      if (name === 'output.delta') bytes += Buffer.byteLength(data.text);
      assert.equal(at, bytes);
    }
    assert.equal(seen.filter(({ name }) => name === 'run.accepted').length, 1);
    assert.equal(seen.at(-1)?.data.output, text);
  }
});

test('a place that is none in the output is refused, live and afterwards', async () => {
  const told = hold();
  const caller = start();
  await told.say('ü');
  const { data } = await next(caller.events, 'run.accepted');
  await next(caller.events, 'output.delta');
  const look = (query: string) => platform.call('GET', `/v1/runs/${data.id}/events?${query}`);
  const tried = ['after=1', 'after=3', 'after=9007199254740991', 'after=-1', 'after=x', 'after=1e9', 'after=0.5'];
  for (const query of tried) assert.equal((await look(query)).status, 400, query);
  told.end();
  await all(caller.events);
  for (const query of tried) assert.equal((await look(query)).status, 400, query);
  const both = await platform.call('GET', `/v1/runs/${data.id}/events?after=0`, undefined, {
    headers: { 'last-event-id': '0' },
  });
  assert.equal(both.status, 400);
  assert.equal(both.body.pointer, '/after');
});

test('a run that is unknown or of another workspace is not found', async () => {
  const { body } = await platform.call('POST', '/v1/runs', { ...greet, stream: false });
  const other = await platform.call('GET', `/v1/runs/${body.id}/events`, undefined, { key: platform.beta.ownerKey });
  const none = await platform.call('GET', `/v1/runs/${randomUUID()}/events`);
  assert.deepEqual([other.status, none.status], [404, 404]);
});

test('a run that failed ends its stream with the failure, also for those who read along', async () => {
  const told = hold();
  const caller = start();
  await told.say('half');
  const { data } = await next(caller.events, 'run.accepted');
  const reader = follow(data.id);
  await next(reader.events, 'output.delta');
  await platform.call('POST', `/v1/runs/${data.id}/cancel`);
  assert.equal((await all(caller.events)).at(-1)?.name, 'run.cancelled');
  assert.equal((await all(reader.events)).at(-1)?.name, 'run.cancelled');
  const later = await all(follow(data.id, 2).events);
  assert.deepEqual(
    later.map(({ name }) => name),
    ['output.delta', 'run.cancelled'],
  );
  assert.equal(textOf(later), 'lf');
});

test('a run that ends with its client lives on while somebody reads along, and ends with the last one', async () => {
  const told = hold();
  const caller = start({ on_disconnect: 'cancel' });
  await told.say('one');
  const { data } = await next(caller.events, 'run.accepted');
  const readers = [follow(data.id), follow(data.id)];
  for (const reader of readers) await next(reader.events, 'output.delta');
  caller.close();
  await systemClock.sleep(50);
  await told.say(' two');
  for (const reader of readers) assert.equal((await next(reader.events, 'output.delta')).data.text, ' two');
  readers[0]?.close();
  await systemClock.sleep(50);
  assert.equal((await platform.call('GET', `/v1/runs/${data.id}`)).body.status, 'running');
  readers[1]?.close();
  for (let wait = 0; wait < 200; wait++) {
    const { body } = await platform.call('GET', `/v1/runs/${data.id}`);
    if (body.status === 'cancelled') return;
    await systemClock.sleep(10);
  }
  assert.fail('The run did not end');
});

test('a run takes 16 readers beside its caller, and says so to the next', async () => {
  const told = hold();
  const caller = start();
  await told.say('x');
  const { data } = await next(caller.events, 'run.accepted');
  const readers = Array.from({ length: 16 }, () => follow(data.id));
  for (const reader of readers) await next(reader.events, 'output.delta');
  const refused = await platform.call('GET', `/v1/runs/${data.id}/events`);
  assert.equal(refused.status, 503);
  assert.equal(refused.body.code, 'overloaded');
  readers[0]?.close();
  await systemClock.sleep(50);
  const again = follow(data.id);
  await next(again.events, 'output.delta');
  told.end();
  await all(caller.events);
  assert.equal((await all(again.events)).at(-1)?.name, 'run.succeeded');
});

test('who follows a run whose process dies is told its end', async () => {
  const { body } = await platform.call('POST', '/v1/runs', { ...greet, stream: false });
  const client = new pg.Client(platform.connection);
  await client.connect();
  const id = randomUUID().replace(/^.{8}-.{4}-./, `${body.id.slice(0, 13)}-7`);
  try {
    await client.query(
      `insert into pattern.accepted (workspace, id, process, accepted_at, pattern, version, digest, model, stream, actor, metadata)
       select workspace, $1, $2, accepted_at, pattern, version, digest, model, stream, actor, metadata
         from pattern.accepted where id = $3`,
      [id, platform.floor.registry.id, body.id],
    );
    const following = all(follow(id, 7).events);
    await systemClock.sleep(300);
    await client.query(
      `insert into pattern.finished (workspace, id, process, accepted_at, finished_at, status, pattern, version, digest, model, stream,
         actor, metadata, attempts, sanitised, error_code, error_detail)
       select workspace, id, process, accepted_at, now(), 'failed', pattern, version, digest, model, stream, actor, metadata, '[]', false,
         'interrupted', 'The process died.' from pattern.accepted where id = $1`,
      [id],
    );
    for (const events of [await following, await all(follow(id, 7).events)]) {
      assert.deepEqual(
        events.map(({ name, id: at }) => [name, at]),
        [['run.failed', 7]],
      );
      assert.equal(events[0]?.data.error.code, 'interrupted');
    }
  } finally {
    await client.end();
  }
});
