import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type Answer, type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
const servers: ModelServer[] = [];
let count = 0;

before(async () => {
  const patience = { DAMASK_FIRST_BYTE_MS: '3000', DAMASK_IDLE_MS: '3000' };
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1', ...patience } });
  for (const [name, yaml] of [
    ['once', ''],
    ['again', 'on_uncertain: retry\n'],
  ]) {
    const files = [
      { path: 'system.md', content: 'Answer.' },
      { path: 'pattern.yaml', content: `${yaml}title: Answer\n` },
    ];
    const made = await platform.call('POST', '/v1/patterns', { name, files });
    assert.equal(made.status, 201, made.text);
  }
});
after(async () => {
  await platform.stop();
  for (const server of servers) await server.close();
});

/** A provider of its own for each case: what one does shuts no other. */
async function addProvider(script: Script) {
  const server = await startModelServer(script);
  servers.push(server);
  const name = `vendor_${++count}`;
  const models = [{ id: 'small', input_price: 1_000_000, output_price: 1_000_000 }];
  const put = await platform.call('PUT', `/v1/providers/${name}`, { base_url: server.url, models });
  assert.equal(put.status, 200, put.text);
  return { server, model: `${name}/small` };
}

async function start(model: string, more: object = {}): Promise<string> {
  const request = { pattern: 'once', input: 'x', mode: 'async', ...(model === '' ? {} : { model }), ...more };
  const { status, body, text } = await platform.call('POST', '/v1/runs', request);
  assert.equal(status, 202, text);
  return body.id;
}

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
type AnyRun = any;
async function until(id: string, is: (run: AnyRun) => boolean): Promise<AnyRun> {
  for (let tries = 0; tries < 200; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (is(body)) return body;
    await systemClock.sleep(50);
  }
  throw new Error('The run did not come so far');
}
const ended = (id: string) => until(id, ({ finished_at }) => finished_at !== null);
const outcomes = ({ attempts }: AnyRun) => attempts.map(({ outcome }: { outcome: string }) => outcome);

const refuse =
  (status: number, headers: Record<string, string> = {}): Script =>
  (_, { response }) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end('{"error":{"message":"no"}}');
const chunk = (answer: Answer, document: unknown) => {
  answer.chunk(document);
  return answer;
};
const say = (answer: Answer, ...pieces: string[]) => {
  for (const content of pieces) chunk(answer, { choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  return answer;
};
const breakOff = ({ response }: Answer) => response.destroy();
const gone = { error: { message: 'gone wrong' } };
const page = { 'content-type': 'text/html' };
const garbage = 'provider_protocol_error';

test('F37: a queued run asks again no sooner than the provider allows, whatever it writes for a time', async () => {
  const forms = ['2', '0', 'Wed, 21 Oct 2015 07:28:00 GMT', 'abc', undefined];
  const check = async (written: string | undefined) => {
    const times: number[] = [];
    const { model, server } = await addProvider((call, answer) => {
      times.push(performance.now());
      if (call.number > 1) return answer.say('ok');
      return refuse(429, written === undefined ? {} : { 'retry-after': written })(call, answer);
    });
    const run = await ended(await start(model));
    assert.deepEqual(
      [run.status, server.calls.length, outcomes(run)],
      ['succeeded', 2, ['failed', 'succeeded']],
      written,
    );
    const waited = (times[1] as number) - (times[0] as number);
    assert.ok(waited >= (written === '2' ? 1_998 : 498), `${written}: ${waited}`);
  };
  await Promise.all(forms.map(check));
});

test('F37: a long wait holds no worker: the run goes back with its time and its reason, or ends when its deadline is before that', async () => {
  const { model, server } = await addProvider(refuse(429, { 'retry-after': '99999999' }));
  const deadline = new Date(Date.now() + 1_500).toISOString();
  const [waiting, late] = [await start(model), await start(model, { deadline })];
  const run = await until(waiting, ({ queue }) => Boolean(queue?.why));
  assert.equal(run.status, 'queued');
  assert.match(run.queue.why, /asks to wait \(429\)/);
  const wait = Date.parse(run.queue.ready_at) - Date.now();
  assert.ok(wait > 50_000 && wait < 3_700_000, `${wait}`);
  const over = await ended(late);
  assert.deepEqual([over.status, over.error.code], ['failed', 'provider_busy']);
  assert.equal(server.calls.length, 2, 'one call each');
  assert.equal((await platform.call('POST', `/v1/runs/${waiting}/cancel`)).status, 202);
  assert.equal((await ended(waiting)).status, 'cancelled');
});

for (const status of [500, 503]) {
  test(`F38: a storm of ${status} from queued runs reaches the model twenty times at most`, async () => {
    const { model, server } = await addProvider(refuse(status));
    const ids = await Promise.all(Array.from({ length: 40 }, () => start(model)));
    const runs = await Promise.all(ids.map((id) => until(id, (run) => run.finished_at !== null || run.queue?.why)));
    // Those that were out when it was shut are sent already; a tenth may be repeated.
    assert.ok(server.calls.length <= 40 + 4, `${server.calls.length} calls`);
    for (const { status: state, error } of runs) {
      if (state === 'failed') assert.ok(['provider_error', 'provider_busy'].includes(error.code), error.code);
      else assert.equal(state, 'queued');
    }
    const calls = server.calls.length;
    const more = await Promise.all(Array.from({ length: 5 }, () => start(model)));
    for (const id of more)
      assert.match((await until(id, ({ queue }) => Boolean(queue?.why))).queue.why, /failed too often/);
    assert.equal(server.calls.length, calls, 'nothing goes out while it is shut');
    for (const id of [...ids, ...more]) await platform.call('POST', `/v1/runs/${id}/cancel`);
  });
}

test('F38: fallbacks are called in the order in which the version lists them, and no other', async () => {
  const order: string[] = [];
  const named = async (name: string, script: Script) =>
    (
      await addProvider((call, answer) => {
        order.push(name);
        return script(call, answer);
      })
    ).model;
  const [a, b, c, d] = [
    await named('a', refuse(401)),
    await named('b', refuse(503, { 'retry-after': '30' })),
    await named('c', (_, answer) => answer.say('from c')),
    await named('d', (_, answer) => answer.say('from d')),
  ];
  const files = [
    { path: 'system.md', content: 'Answer.' },
    { path: 'pattern.yaml', content: `model: ${a}\nfallbacks: [${b}, ${c}, ${d}]\n` },
  ];
  assert.equal((await platform.call('POST', '/v1/patterns', { name: 'in_order', files })).status, 201);
  const run = await ended(await start('', { pattern: 'in_order' }));
  assert.deepEqual([run.status, run.output, run.model, order], ['succeeded', 'from c', c, ['a', 'b', 'c']]);
});

const end = ({ response }: Answer) => void response.end();

/** What a provider does, what the run then is, and how its last attempt ended. */
const faults: readonly (readonly [string, (answer: Answer) => void, string, string, string])[] = [
  ['hangs before its head', () => undefined, 'timeout', 'uncertain', ''],
  ['hangs after three pieces', (answer) => say(answer, 'a', 'b', 'c'), 'timeout', 'uncertain', 'abc'],
  ['ends without its end', (answer) => end(say(answer, 'half')), 'truncated', 'failed', 'half'],
  ['breaks off', (answer) => void setTimeout(breakOff, 50, say(answer, 'half')), 'truncated', 'failed', 'half'],
  ['says nothing but its end', (answer) => end(chunk(answer, '[DONE]')), 'truncated', 'failed', ''],
  ['tells an error inside', (answer) => end(chunk(say(answer, 'so far'), gone)), 'provider_error', 'failed', 'so far'],
  [
    'answers a web page',
    ({ response }) => void response.writeHead(200, page).end('<h1>Hi</h1>'),
    garbage,
    'failed',
    '',
  ],
  ['streams garbage', (answer) => end(chunk(answer, '{not json')), garbage, 'failed', ''],
];

test('F39 to F41: a queued run whose provider hangs, breaks off, or says garbage is never a success, and keeps what came', async () => {
  const check = async ([what, script, code, outcome, output]: (typeof faults)[number]) => {
    const { model, server } = await addProvider((_, answer) => script(answer));
    const run = await ended(await start(model));
    assert.deepEqual(
      [run.status, run.error?.code, run.attempts.at(-1)?.outcome, run.output],
      ['failed', code, outcome, output],
      what,
    );
    assert.equal(server.calls.length, 1, `${what}: called again`);
  };
  await Promise.all(faults.map(check));
});

test('F39: where the version allows it a call without a known end goes out again, and each is on record', async () => {
  const { model, server } = await addProvider((call, answer) => {
    if (call.number > 1) answer.say('at last');
  });
  const run = await ended(await start(model, { pattern: 'again' }));
  assert.deepEqual([run.status, run.output, outcomes(run)], ['succeeded', 'at last', ['uncertain', 'succeeded']]);
  assert.equal(server.calls.length, 2);
  // 11 and 7 tokens, and the most that one call takes: 8,192 tokens of an answer, and what was sent.
  assert.ok(run.cost_micros > 18 + 8_192 && run.cost_micros < 18 + 9_000, `${run.cost_micros}`);
});

test('F41: split and broken characters, NUL and lone surrogates are put right before anything is kept', async () => {
  const { model } = await addProvider(async (_, { response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const said =
      'data: {"choices":[{"index":0,"delta":{"content":"Grüße 👋 \\u0000 \\ud800 ?"},"finish_reason":null}]}\n\n';
    const bytes = Buffer.from(said);
    bytes[bytes.indexOf('?')] = 0xff;
    for (const byte of bytes) {
      response.write(Buffer.from([byte]));
      if (byte >= 0x80) await systemClock.sleep(1);
    }
    response.write('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\n');
    response.write(
      'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n: ping\n\ndata: [DONE]\n\n',
    );
    response.end();
  });
  const run = await ended(await start(model));
  assert.deepEqual([run.status, run.output, run.sanitised], ['succeeded', 'Grüße 👋 \uFFFD \uFFFD \uFFFD', true]);
});

test('F43: a key that is refused in the middle stops the calls', async () => {
  const { model, server } = await addProvider((call, answer) =>
    call.number <= 3 ? answer.say('ok') : refuse(401)(call, answer),
  );
  for (let i = 0; i < 3; i++) assert.equal((await ended(await start(model))).status, 'succeeded');
  for (let i = 0; i < 4; i++) await ended(await start(model));
  const calls = server.calls.length;
  const ids = await Promise.all(Array.from({ length: 40 }, () => start(model)));
  const runs = await Promise.all(ids.map((id) => ended(id)));
  for (const { error } of runs) assert.equal(error.code, 'provider_auth');
  assert.ok(server.calls.length <= calls + 1 && calls <= 3 + 4, `${calls}, then ${server.calls.length}`);
});
