import assert from 'node:assert/strict';
import type { ModelServer, Script } from '../../server/src/platform/testing/model-server.ts';
import { createHttpClient, type HttpReply } from '../http-client.ts';
import { tellQueued } from './queued-story.ts';

/** What was asked, and the answer without what differs each time. */
export type Story = (readonly [asked: string, answer: unknown])[];

/** The model's part: it holds back the second half of a stream until it is asked for it, and fails where it is told to. */
export function createScript(): { script: Script; goOn(): void } {
  let waiting: (() => void)[] = [];
  return {
    script: async ({ messages, stream }, answer) => {
      const said = messages.at(-1)?.content ?? '';
      if (said === 'fail') return void answer.response.writeHead(500).end('{"error":{"message":"broken"}}');
      if (said === 'refuse') return void answer.response.writeHead(400).end('{"error":{"message":"no"}}');
      if (said === 'wait' && stream) {
        answer.chunk({ choices: [{ index: 0, delta: { content: 'Dear ' } }] });
        await new Promise<void>((resolve) => waiting.push(resolve));
        return answer.say('', { pieces: ['Ada, ', 'grüß dich 👋'] });
      }
      if (said === 'never') return undefined;
      return answer.say('Hello Ada.');
    },
    goOn() {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}

/** The same requests to a running platform, whatever it is made of. */
export async function tellStory(
  { url, key }: { url: string; key: string },
  model: ModelServer,
  goOn: () => void,
): Promise<Story> {
  const story: Story = [];
  const client = createHttpClient(url);
  const note = (asked: string, { status, headers, body }: HttpReply) => {
    const type = headers.find(([name]) => name === 'content-type')?.[1];
    const retry = headers.find(([name]) => name === 'retry-after')?.[1];
    story.push([asked, unify({ status, type, ...(retry ? { retry } : {}), body })]);
    return body;
  };
  const ask = async (method: string, path: string, body?: unknown, as: string | null = key) => {
    const reply = await client.send(method, path, { key: as, ...(body === undefined ? {} : { body }) });
    return note(`${method} ${unify(path)} ${JSON.stringify(body) ?? ''}`, reply);
  };

  for (const path of ['/livez', '/readyz', '/openapi.json']) await ask('GET', path, undefined, null);
  await ask('GET', '/v1/me');
  await ask('GET', '/v1/patterns');

  await ask('POST', '/v1/patterns', { name: 'greet', system: 'Greet {{name}}.' });
  await ask('POST', '/v1/patterns', { name: 'greet', system: 'Again.' });
  await ask('POST', '/v1/patterns', { name: 'other', system: 5 });
  await ask('POST', '/v1/patterns', { name: 'other', system: 'x', colour: 'blue' });
  await ask('POST', '/v1/patterns/greet/versions', { system: 'Greet {{name}} warmly.' });
  await ask('PUT', '/v1/patterns/greet/labels/first', { version: 1 });
  await ask('GET', '/v1/patterns/greet');
  await ask('GET', '/v1/patterns/greet/versions?limit=1');
  const first = await ask('GET', '/v1/patterns?limit=2');
  await ask('GET', `/v1/patterns?limit=2&cursor=${first.next}`);
  await ask('GET', '/v1/patterns?cursor=nonsense');

  const greet = { pattern: 'greet', input: 'now', variables: { name: 'Ada' }, model: 'openai/test' };
  await ask('POST', '/v1/render', greet);
  const run = await ask('POST', '/v1/runs', { ...greet, metadata: { ticket: '7' } });
  assert.deepEqual(
    (await client.send('GET', `/v1/runs/${run.id}`, { key })).body,
    run,
    'what is told is what is stored',
  );
  const keyed = { ...greet, idempotency_key: 'story' };
  await ask('POST', '/v1/runs', keyed);
  await ask('POST', '/v1/runs', keyed);
  await ask('POST', '/v1/runs', { ...keyed, input: 'then' });
  await ask('POST', `/v1/runs/${run.id}/rerun`, { input: 'again' });
  const events = await client.send('GET', `/v1/runs/${run.id}/events?after=6`, { key });
  story.push(['the events of a run that has ended', events.text.replace(/"[0-9a-f-]{36}"|\d+\.\d+|"20[^"]+Z"/g, '""')]);
  await ask('POST', '/v1/runs', { ...greet, version: 1 });
  await ask('POST', '/v1/runs', { ...greet, variables: {} });
  await ask('POST', '/v1/runs', { ...greet, variables: { name: 5 } });
  await ask('POST', '/v1/runs', { ...greet, input: 'fail' });
  await ask('POST', '/v1/runs', { ...greet, input: 'never', timeout_ms: 200 });
  await ask('POST', '/v1/runs', { ...greet, model: 'nobody/nothing' });
  await ask('POST', '/v1/runs', { ...greet, pattern: 'nothing' });
  await ask('POST', '/v1/runs', '{"pattern":"greet","pattern":"greet"}');
  // Long enough to be parsed apart, in the edge and behind it.
  await ask('POST', '/v1/render', { ...greet, input: 'x'.repeat(300_000) });

  await tellStreams({ url, key }, greet, goOn, story);
  await tellQueued(ask, client, key, (asked, answer) => void story.push([asked, answer]));
  await tellLeaving({ url, key }, greet, model);
  await ask('GET', '/v1/runs?limit=4');
  await ask('GET', '/v1/runs/01890000-0000-7000-8000-000000000000');
  await ask('POST', '/v1/runs/01890000-0000-7000-8000-000000000000/cancel');

  const viewer = await ask('POST', '/v1/keys', { name: 'a viewer', role: 'viewer' });
  const waitFor = async (status: number) => {
    for (let wait = 0; wait < 100; wait++) {
      if ((await client.send('GET', '/v1/me', { key: viewer.key })).status === status) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail(`The key of a viewer does not become ${status}`);
  };
  await waitFor(200);
  await ask('GET', '/v1/me', undefined, viewer.key);
  await ask('POST', '/v1/patterns', { name: 'not_mine', system: 'x' }, viewer.key);
  await ask('DELETE', `/v1/keys/${viewer.id}`);
  await waitFor(401);
  await ask('GET', '/v1/me', undefined, viewer.key);
  await ask('GET', '/v1/me', undefined, null);
  await ask('GET', '/v1/keys');
  await ask('POST', '/v1/keys', { name: 'x', role: 'king' });

  await ask('PUT', '/v1/providers/mine', { base_url: 'https://models.example.com/v1', api_key: 'sk-of-nobody' });
  await ask('PUT', '/v1/providers/mine', { base_url: 'https://elsewhere.example.com/v1' });
  await ask('PUT', '/v1/providers/inside', { base_url: 'http://169.254.169.254/v1' });
  await ask('GET', '/v1/providers');
  await ask('DELETE', '/v1/patterns/greet');
  await ask('GET', '/v1/patterns/greet');
  await ask('PATCH', '/v1/patterns');
  client.close();
  return story;
}

interface Told {
  readonly name: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as they come.
  readonly data: any;
}

async function openStream({ url, key }: { url: string; key: string }, body: object, signal?: AbortSignal) {
  const response = await fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
    ...(signal ? { signal } : {}),
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  return readEvents(response.body as ReadableStream<Uint8Array>);
}

async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
      yield { name: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

/** A stream arrives while the model still speaks, and one that is cancelled or fails ends as it should. */
async function tellStreams(at: { url: string; key: string }, greet: object, goOn: () => void, story: Story) {
  const told: Told[] = [];
  for await (const event of await openStream(at, { ...greet, input: 'wait' })) {
    told.push(event);
    if (event.name === 'output.delta' && event.data.text === 'Dear ') goOn();
  }
  const text = told.filter(({ name }) => name === 'output.delta').map(({ data }) => data.text);
  assert.equal(text.join(''), 'Dear Ada, grüß dich 👋');
  // How the text is cut into pieces is a matter of time.
  story.push(['a stream', unify([told[0], told.at(-1)])]);

  const cancelled: Told[] = [];
  for await (const event of await openStream(at, { ...greet, input: 'wait' })) {
    cancelled.push(event);
    if (event.name !== 'output.delta') continue;
    const headers = { authorization: `Bearer ${at.key}` };
    await fetch(`${at.url}/v1/runs/${cancelled[0]?.data.id}/cancel`, { method: 'POST', headers });
  }
  goOn();
  story.push(['a stream that is cancelled', unify([cancelled[0], cancelled.at(-1)])]);

  const failed: Told[] = [];
  for await (const event of await openStream(at, { ...greet, input: 'fail' })) failed.push(event);
  story.push(['a stream that fails', unify([failed[0], failed.at(-1)])]);
}

/** A client that leaves ends the call to the model, however many processes lie between. */
async function tellLeaving(at: { url: string; key: string }, greet: object, model: ModelServer) {
  const { abandoned } = model;
  const leave = new AbortController();
  const events = await openStream(at, { ...greet, input: 'wait' }, leave.signal);
  // Not before its first output: whether there was one stands in the record.
  for await (const { name } of events) {
    if (name === 'output.delta') break;
  }
  leave.abort();
  for (let wait = 0; wait < 200 && model.abandoned === abandoned; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(model.abandoned, abandoned + 1);
}

const changing: readonly (readonly [RegExp, string])[] = [
  [/dmk_[0-9A-Za-z]{46}/g, '<key>'],
  [/dmk_[0-9A-Za-z]{8}/g, '<prefix>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>'],
  [/http:\/\/127\.0\.0\.1:\d+/g, '<model>'],
  [/(?<="next":"|cursor=)[A-Za-z0-9_.-]{20,}/g, '<cursor>'],
  [/("(?:first_output_ms|total_ms)":)[\d.]+/g, '$1"<ms>"'],
];

/** The same without ids, times, keys and cursors. */
export function unify<Value>(value: Value): Value {
  let text = JSON.stringify(value);
  for (const [pattern, replacement] of changing) text = text.replaceAll(pattern, replacement);
  return JSON.parse(text) as Value;
}
