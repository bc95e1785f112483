import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '#platform/clock.ts';
import { type Answer, type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let edge: TestPlatform;
let model: ModelServer;
let admin: pg.Client;
const answers: Answer[] = [];

before(async () => {
  model = await startModelServer((_, answer) => {
    answers.push(answer);
    return new Promise(() => undefined);
  });
  platform = await startTestPlatform({ modelUrl: model.url });
  edge = await startTestPlatform({ modelUrl: model.url, beside: platform, environment: { DAMASK_WORKER_SLOTS: '0' } });
  admin = new pg.Client(platform.connection);
  await admin.connect();
  for (const on_uncertain of ['fail', 'retry', 'review']) {
    await platform.call('POST', '/v1/patterns', {
      name: `then_${on_uncertain}`,
      files: [
        { path: 'system.md', content: 'Greet kindly.' },
        { path: 'pattern.yaml', content: `on_uncertain: ${on_uncertain}\n` },
      ],
    });
  }
});
after(async () => {
  await admin.end();
  await edge.stop();
  await platform.stop();
  await model.close();
});

const read = async (id: string) => (await platform.call('GET', `/v1/runs/${id}`)).body;

async function until(id: string, holds: (run: Record<string, unknown>) => boolean) {
  for (let tries = 0; tries < 600; tries++) {
    const run = await read(id);
    if (holds(run)) return run;
    await systemClock.sleep(25);
  }
  throw new Error(`The run did not come so far: ${JSON.stringify(await read(id))}`);
}
const ended = (id: string) => until(id, ({ finished_at }) => finished_at !== null);

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

/** A run whose call is out, in the hands of a process that has died. */
async function lost(pattern: string) {
  const { body } = await edge.call('POST', '/v1/runs', { pattern, input: 'x', model: 'openai/test', mode: 'async' });
  const first = await nextAnswer();
  return {
    id: body.id as string,
    first,
    die: () => admin.query('update pattern.task set owner = $2 where id = $1', [body.id, randomUUID()]),
  };
}
const outcomes = (run: { attempts: { outcome: string }[] }) => run.attempts.map(({ outcome }) => outcome);

test('a call whose process died is not made again unasked, and its late answer counts for nothing', async () => {
  const { id, first, die } = await lost('then_fail');
  const calls = model.calls.length;
  await die();
  const run = await ended(id);
  assert.deepEqual([run.status, run.error.code, outcomes(run)], ['failed', 'interrupted', ['uncertain']]);
  say(first, 'Too late.');
  finish(first);
  await systemClock.sleep(100);
  const after = await read(id);
  assert.deepEqual([after.status, after.output, model.calls.length], ['failed', '', calls]);
  const retried = await platform.call('POST', `/v1/runs/${id}/retry`, {});
  finish(await nextAnswer());
  assert.equal((await ended(retried.body.id)).status, 'succeeded');
});

test('where the pattern allows it the call is made again, and who follows is told that the text begins anew', async () => {
  const { id, first, die } = await lost('then_retry');
  const events: { name: string; id: number; data: Record<string, unknown> }[] = [];
  const followed = followAt(edge, id, (event) => events.push(event));
  say(first, 'A first word');
  await waitFor(() => events.some(({ name }) => name === 'output.delta'));
  await die();
  const second = await nextAnswer();
  say(second, 'Another word, ');
  await waitFor(() => events.some(({ name }) => name === 'output.restarted'));
  say(second, 'and its end.');
  finish(second);
  const run = await ended(id);
  assert.deepEqual(outcomes(run), ['uncertain', 'succeeded']);
  assert.equal(run.output, 'Another word, and its end.');
  await followed;
  const from = events.findLastIndex(({ name }) => name === 'output.restarted');
  const text = events
    .slice(from)
    .flatMap(({ name, data }) => (name === 'output.delta' ? [data.text] : []))
    .join('');
  assert.equal(text, run.output);
  assert.equal(events.at(-1)?.name, 'run.succeeded');
});

test('where the pattern asks for it the run waits for a person, who lets it be called again or fail', async () => {
  for (const decision of ['retry', 'fail'] as const) {
    const { id, die } = await lost('then_review');
    await die();
    const waiting = await until(id, ({ status }) => status === 'waiting');
    assert.deepEqual([waiting.queue.why, waiting.queue.ready_at], ['review', null]);
    const { body } = await platform.call('GET', '/v1/runs?status=waiting');
    assert.deepEqual(
      body.items.map((item: { id: string }) => item.id),
      [id],
    );
    const decide = (fields: object) => edge.call('POST', `/v1/runs/${id}/decisions`, fields);
    assert.equal((await decide({ decision: 'approve' })).body.pointer, '/decision');
    assert.equal((await decide({ decision, step: 'none' })).body.code, 'not_waiting');
    assert.equal((await decide({ decision, comment: 'Seen.' })).status, 200);
    if (decision === 'retry') finish(await nextAnswer());
    const run = await ended(id);
    assert.equal(run.status, decision === 'retry' ? 'succeeded' : 'failed');
    assert.equal(outcomes(run)[0], 'uncertain');
    const [audit] = (await admin.query(`select details from pattern.audit where subject = $1`, [`run/${id}`])).rows;
    assert.deepEqual(audit.details, { step: '', decision });
    const [event] = (
      await admin.query(`select data from pattern.outbox where name = 'pattern.run-decided' and data->>'run' = $1`, [
        id,
      ])
    ).rows;
    assert.equal(event.data.decision, decision);
  }
});

test('a run that waits for a person is cancelled, and one that several processes died with is given up', async () => {
  const waiting = await lost('then_review');
  await waiting.die();
  await until(waiting.id, ({ status }) => status === 'waiting');
  assert.equal((await edge.call('POST', `/v1/runs/${waiting.id}/cancel`)).status, 202);
  const cancelled = await ended(waiting.id);
  assert.deepEqual([cancelled.status, outcomes(cancelled)], ['cancelled', ['uncertain']]);

  const dead = await lost('then_retry');
  await admin.query('update pattern.task set deliveries = 4 where id = $1', [dead.id]);
  await dead.die();
  const run = await ended(dead.id);
  assert.deepEqual([run.status, run.error.code, run.input], ['failed', 'gave_up', 'x']);
  const { body } = await platform.call('GET', '/v1/runs?dead=true');
  assert.deepEqual(
    body.items.map((item: { id: string }) => item.id),
    [dead.id],
  );
});

async function waitFor(holds: () => boolean) {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 600) throw new Error('It did not come so far');
    await systemClock.sleep(20);
  }
}

async function followAt(
  where: TestPlatform,
  run: string,
  take: (event: { name: string; id: number; data: Record<string, unknown> }) => void,
) {
  const response = await fetch(`${where.url}/v1/runs/${run}/events`, {
    headers: { authorization: `Bearer ${where.alpha.ownerKey}` },
  });
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      take({ name: fields.event, id: Number(fields.id), data: JSON.parse(fields.data) });
    }
  }
}
