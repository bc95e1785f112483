import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { startTestModel, type TestModel, whyNoRuntime } from './test-model.ts';

const skip = await whyNoRuntime();
const hi = [{ role: 'user', content: 'hi' }];
const alphabet = 'abcdefghijklmnopqrstuvwxyz';

/** The events of a stream, and what its chunks say together. */
function readStream(text: string) {
  const events = text.split('\n\n').filter((block) => block !== '');
  const data = events.map((event) => event.replace(/^data: /, ''));
  const chunks = data.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line));
  const content = chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? '').join('');
  const reasons = chunks.map((chunk) => chunk.choices?.[0]?.finish_reason).filter(Boolean);
  return { chunks, content, reasons, done: data.at(-1) === '[DONE]', usage: chunks.at(-1)?.usage };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + 10_000;
  while (!(await holds())) {
    assert.ok(systemClock.monotonic() < deadline, 'did not come true within 10 s');
    await systemClock.sleep(20);
  }
}

describe('the process of the local model', { skip }, () => {
  let model: TestModel;
  before(async () => {
    model = await startTestModel({});
  });
  after(() => model.stop());

  test('answers with what the model says, real token counts and stop', async () => {
    const answer = await model.ask({ messages: hi });
    const body = JSON.parse(answer.text);
    assert.equal(answer.status, 200);
    assert.equal(body.object, 'chat.completion');
    assert.equal(body.model, 'alphabet');
    assert.deepEqual(body.choices[0].message, { role: 'assistant', content: alphabet });
    assert.equal(body.choices[0].finish_reason, 'stop');
    // "user: hi\nassistant: " has 20 characters; the 27th token said is the end of the text.
    assert.deepEqual(body.usage, { prompt_tokens: 20, completion_tokens: 27, total_tokens: 47 });
  });

  test('streams the same, letter by letter, with usage when asked for', async () => {
    const answer = await model.ask({ messages: hi, stream: true, stream_options: { include_usage: true } });
    assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8');
    const { chunks, content, reasons, done, usage } = readStream(answer.text);
    assert.equal(content, alphabet);
    assert.ok(chunks.length >= 26, `${chunks.length} chunks`);
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.deepEqual(reasons, ['stop']);
    assert.ok(done);
    assert.deepEqual(usage, { prompt_tokens: 20, completion_tokens: 27, total_tokens: 47 });

    const silent = readStream((await model.ask({ messages: hi, stream: true })).text);
    assert.ok(silent.chunks.every((chunk) => chunk.usage === undefined));
  });

  test('ends with length at max_tokens, and with stop at a stop text that it does not say', async () => {
    for (const field of ['max_tokens', 'max_completion_tokens']) {
      const { choices, usage } = JSON.parse((await model.ask({ messages: hi, [field]: 5 })).text);
      assert.equal(choices[0].message.content, 'abcde');
      assert.equal(choices[0].finish_reason, 'length');
      assert.equal(usage.completion_tokens, 5);
    }
    for (const stop of ['fg', ['nothing', 'f']]) {
      const { choices } = JSON.parse((await model.ask({ messages: hi, stop })).text);
      assert.deepEqual([choices[0].message.content, choices[0].finish_reason], ['abcde', 'stop']);
    }
  });

  test('takes every role through the template, and the names of control tokens as plain text', async () => {
    const messages = [
      { role: 'system', content: '</s><s>' },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: 'd' },
        ],
      },
    ];
    const { usage } = JSON.parse((await model.ask({ messages })).text);
    const prompt = 'system: </s><s>\nuser: a\nassistant: b\nuser: cd\nassistant: ';
    assert.equal(usage.prompt_tokens, prompt.length);
  });

  test('refuses what does not fit the context, with its count, and never cuts it', async () => {
    const room = 512 - 'user: \nassistant: '.length;
    const tooLong = await model.ask({ messages: [{ role: 'user', content: 'x'.repeat(room) }] });
    assert.equal(tooLong.status, 400);
    const { error } = JSON.parse(tooLong.text);
    assert.equal(error.code, 'context_length_exceeded');
    assert.match(error.message, /maximum context length is 512 tokens and the messages have 512/);

    const fits = await model.ask({ messages: [{ role: 'user', content: 'x'.repeat(room - 10) }], max_tokens: 400 });
    const { choices, usage } = JSON.parse(fits.text);
    assert.equal(usage.prompt_tokens, 502);
    assert.equal(choices[0].finish_reason, 'length');
    assert.equal(choices[0].message.content, alphabet.slice(0, usage.completion_tokens));
    assert.equal(usage.completion_tokens, 8);
  });

  test('says what is wrong with a bad request', async () => {
    const cases: [object, RegExp, string][] = [
      [{}, /messages must be a list/, 'messages'],
      [{ messages: [] }, /messages must be a list/, 'messages'],
      [{ messages: [{ role: 'robot', content: 'x' }] }, /must be system, user or assistant/, 'messages[0].role'],
      [{ messages: [{ role: 'user', content: 7 }] }, /must be text/, 'messages[0].content'],
      [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, /text only/, 'messages[0].content'],
      [{ messages: hi, temperature: 3 }, /from 0 to 2/, 'temperature'],
      [{ messages: hi, max_tokens: 1.5 }, /whole number/, 'max_tokens'],
      [{ messages: hi, stop: [''] }, /stop must be/, 'stop'],
      [{ messages: hi, tools: [{}] }, /does not support tools/, 'tools'],
      [{ messages: hi, n: 2 }, /does not support n/, 'n'],
    ];
    for (const [body, message, param] of cases) {
      const answer = await model.ask(body);
      assert.equal(answer.status, 400, answer.text);
      const { error } = JSON.parse(answer.text);
      assert.match(error.message, message);
      assert.equal(error.param, param);
    }
    assert.equal((await model.get('/v1/nothing')).status, 404);
    assert.equal(await sendRaw(model.local.socketPath, Buffer.from('{')), 400);
    assert.equal(await sendRaw(model.local.socketPath, Buffer.alloc(8 * 1024 * 1024 + 1, 32)), 413);
  });

  test('names its model and says that it is well', async () => {
    const { data } = JSON.parse((await model.get('/v1/models')).text);
    assert.deepEqual(data, [{ id: 'alphabet', object: 'model', owned_by: 'local', context_length: 512 }]);
    assert.deepEqual(JSON.parse((await model.get('/health')).text), { status: 'ok', busy: 0, waiting: 0 });
  });
});

test('the same seed says the same and another one something else', { skip }, async (t) => {
  const model = await startTestModel({ certainty: 0.01 });
  t.after(() => model.stop());
  const say = async (seed: number) => {
    const { text } = await model.ask({ messages: hi, temperature: 1.5, top_p: 1, seed, max_tokens: 12 });
    return JSON.parse(text).choices[0].message.content as string;
  };
  const first = await say(1);
  assert.equal(await say(1), first);
  const others = await Promise.all([2, 3, 4].map(say));
  assert.ok(others.some((other) => other !== first));
});

test('a client that leaves stops its generation, others wait in line, and a full line answers 503', {
  skip,
}, async (t) => {
  const more = ['--sequences', '1', '--waiting', '1', '--context', '65536'];
  const model = await startTestModel({ endless: true, contextLength: 65_536 }, more);
  t.after(() => model.stop());
  const counts = async () => JSON.parse((await model.get('/health')).text);

  const talking = await model.open({ messages: hi, max_tokens: 60_000 });
  await new Promise((resolve) => talking.once('data', resolve));
  const waiting = model.ask({ messages: hi, max_tokens: 3 });
  await until(async () => (await counts()).waiting === 1);

  const refused = await model.ask({ messages: hi });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '5');
  assert.equal(JSON.parse(refused.text).error.code, 'overloaded');

  const left = systemClock.monotonic();
  talking.destroy();
  assert.equal(JSON.parse((await waiting).text).choices[0].message.content, 'abc');
  assert.ok(systemClock.monotonic() - left < 5_000, 'the place became free at once');
  await until(async () => (await counts()).busy === 0);

  const second = await model.open({ messages: hi, max_tokens: 60_000 });
  const gone = request({ socketPath: model.local.socketPath, method: 'POST', path: '/v1/chat/completions' });
  gone.on('error', () => {}).end(JSON.stringify({ messages: hi }));
  await until(async () => (await counts()).waiting === 1);
  gone.destroy();
  await until(async () => (await counts()).waiting === 0);
  second.destroy();
  await until(async () => (await counts()).busy === 0);
});

function sendRaw(socketPath: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/v1/chat/completions', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => error.code !== 'EPIPE' && reject(error)).end(body);
  });
}
