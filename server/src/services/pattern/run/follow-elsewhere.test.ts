import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type Answer, type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

/** Executes what is queued; the other one only accepts and follows. */
let worker: TestPlatform;
let edge: TestPlatform;
let model: ModelServer;
const answers: Answer[] = [];

before(async () => {
  model = await startModelServer((_, answer) => {
    answers.push(answer);
    return new Promise(() => undefined);
  });
  worker = await startTestPlatform({ modelUrl: model.url });
  edge = await startTestPlatform({
    modelUrl: model.url,
    beside: worker,
    environment: { DAMASK_WORKER_SLOTS: '0' },
  });
  await edge.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet kindly.' });
});
afterEach(() => {
  answers.length = 0;
});
after(async () => {
  await edge.stop();
  await worker.stop();
  await model.close();
});

const greet = { pattern: 'greet', input: 'now', model: 'openai/test' };

async function nextAnswer(): Promise<Answer> {
  for (let tries = 0; answers.length === 0 && tries < 600; tries++) await systemClock.sleep(10);
  return answers.shift() as Answer;
}
const say = (answer: Answer, content: string) =>
  answer.chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
function finish(answer: Answer) {
  answer.chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  answer.chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } });
  answer.chunk('[DONE]');
  answer.response.end();
}

interface Event {
  readonly name: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as they come.
  readonly data: any;
}

function follow(platform: TestPlatform, run: string, lastEventId?: number) {
  const leave = new AbortController();
  const events: Event[] = [];
  const done = (async () => {
    const response = await fetch(`${platform.url}/v1/runs/${run}/events`, {
      signal: leave.signal,
      headers: {
        authorization: `Bearer ${platform.alpha.ownerKey}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
      },
    });
    assert.equal(response.status, 200);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        events.push({ name: fields.event, id: Number(fields.id), data: JSON.parse(fields.data) });
      }
    }
  })().catch((error: unknown) => {
    if (!leave.signal.aborted) throw error;
  });
  return { events, done, close: () => leave.abort() };
}
const textOf = (events: readonly Event[]) =>
  events.flatMap(({ name, data }) => (name === 'output.delta' ? [data.text] : [])).join('');
async function until(holds: () => boolean | Promise<boolean>, what: string) {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`It did not come so far: ${what}`);
}

test('a queued run is followed from a process that does not execute it, and gone on with without gap or repeat', async () => {
  const { body } = await edge.call('POST', '/v1/runs', { ...greet, mode: 'async' });
  const first = follow(edge, body.id);
  const answer = await nextAnswer();
  say(answer, 'Grüß ');
  await until(() => textOf(first.events) === 'Grüß ', 'the first words');
  assert.deepEqual(first.events[0]?.name, 'run.accepted');
  const { id: place } = first.events.at(-1) as Event;
  assert.equal(place, Buffer.byteLength('Grüß '));
  first.close();
  say(answer, 'Gott, ');
  const second = follow(edge, body.id, place);
  const third = follow(worker, body.id, place);
  await until(() => textOf(second.events) === 'Gott, ' && textOf(third.events) === 'Gott, ', 'the next words');
  say(answer, 'Mia.');
  finish(answer);
  await Promise.all([second.done, third.done]);
  for (const { events } of [second, third]) {
    assert.equal(textOf(events), 'Gott, Mia.');
    assert.equal(events.at(-1)?.name, 'run.succeeded');
    assert.equal(events.at(-1)?.data.output, 'Grüß Gott, Mia.');
    assert.equal(events.at(-1)?.id, Buffer.byteLength('Grüß Gott, Mia.'));
  }
  const after = follow(edge, body.id, place);
  await after.done;
  assert.equal(textOf(after.events), 'Gott, Mia.');
});

test('a run whose caller waits is followed and cancelled from another process', async () => {
  const caller = worker.call('POST', '/v1/runs', { ...greet, stream: false });
  const answer = await nextAnswer();
  const id = await new Promise<string>((resolve) => {
    const look = async () => {
      const { body } = await edge.call('GET', '/v1/runs?status=running');
      if (body.items[0]) resolve(body.items[0].id);
      else setTimeout(look, 20);
    };
    void look();
  });
  const followed = follow(edge, id);
  say(answer, 'Hello ');
  const streamed = follow(edge, id);
  await until(() => followed.events.length > 0 && streamed.events.length > 0, 'the acceptance');
  const cancelled = await edge.call('POST', `/v1/runs/${id}/cancel`);
  assert.equal(cancelled.status, 202, cancelled.text);
  const reply = await caller;
  assert.equal(reply.body.code, 'run_cancelled');
  await Promise.all([followed.done, streamed.done]);
  assert.equal(followed.events.at(-1)?.name, 'run.cancelled');
  assert.equal(streamed.events.at(-1)?.name, 'run.cancelled');
});

test('a running run is cancelled from a process that does not execute it', async () => {
  const { body } = await edge.call('POST', '/v1/runs', { ...greet, mode: 'async' });
  const answer = await nextAnswer();
  say(answer, 'Hel');
  const before = model.abandoned;
  assert.equal((await edge.call('POST', `/v1/runs/${body.id}/cancel`)).status, 202);
  await until(async () => (await edge.call('GET', `/v1/runs/${body.id}`)).body.status === 'cancelled', 'its end');
  await until(() => model.abandoned > before, 'the end of the call');
});

test('pieces of the output are sealed, and gone once the run has ended', async () => {
  const { body } = await edge.call('POST', '/v1/runs', { ...greet, mode: 'async' });
  const answer = await nextAnswer();
  say(answer, 'A word that nobody else says: quixotry. ');
  const followed = follow(edge, body.id);
  await until(() => textOf(followed.events).includes('quixotry'), 'the piece');
  const pieces = await rows('select piece from pattern.run_output where run = $1', [body.id]);
  assert.ok(pieces.length > 0);
  assert.ok(!pieces.some(({ piece }) => String(piece).includes('quixotry')));
  finish(answer);
  await followed.done;
  await until(
    async () => (await rows('select from pattern.run_output where run = $1', [body.id])).length === 0,
    'none',
  );
});

async function rows(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(worker.connection);
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
