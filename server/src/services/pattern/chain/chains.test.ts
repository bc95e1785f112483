import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type ChatCall, type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let answers: ((system: string, input: string) => string) | undefined;

const said = ({ messages }: ChatCall, role: string): string =>
  messages.findLast((message) => message.role === role)?.content ?? '';

before(async () => {
  model = await startModelServer((call, answer) =>
    answer.say((answers ?? ((system, input) => `${system} <${input}>`))(said(call, 'system'), said(call, 'user'))),
  );
  platform = await startTestPlatform({ modelUrl: model.url });
  for (const name of ['mark', 'merge', 'check']) await put(name, [{ path: 'system.md', content: name }]);
  await put('list', [
    { path: 'system.md', content: 'list' },
    {
      path: 'pattern.yaml',
      content:
        'output: {type: json, schema: {type: object, properties: {parts: {type: array, items: {type: string}}}}}',
    },
  ]);
});
afterEach(() => {
  answers = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

async function put(name: string, files: { path: string; content: string }[]) {
  const reply = await platform.call('POST', '/v1/patterns', { name, files });
  assert.equal(reply.status, 201, reply.text);
}
const putChain = (name: string, yaml: string) => put(name, [{ path: 'pattern.yaml', content: yaml }]);
const run = (pattern: string, fields: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern, input: 'in', ...fields });
const stepsOf = async (id: string, query = '') =>
  (await platform.call('GET', `/v1/runs/${id}/steps${query}`)).body as {
    items: { path: string; state: string; output: string | null; waits_for: string | null; version: number | null }[];
    next?: string;
  };
async function until(id: string, holds: (found: { status: string }) => boolean) {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (holds(body)) return body;
    await systemClock.sleep(25);
  }
  throw new Error('The run did not come so far');
}

test('a chain runs its steps, and says what each of them did', async () => {
  answers = (system, input) => (system === 'list' ? '{"parts":["one","two","three"]}' : `${system}(${input})`);
  await putChain(
    'all',
    `variables: {word: {default: of}}
steps:
  last: {pattern: merge, input: [$variables.word, $steps.each.output, $steps.left.output]}
  each: {pattern: mark, for_each: $steps.parts.data.parts, when: {ref: $item, not_equals: two}, input: [$index, $item]}
  left: {pattern: mark, when: {ref: $input, contains: nowhere}}
  parts: {pattern: list}
`,
  );
  const reply = await run('all', { variables: {} });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.body.output, 'merge(of\n\nmark(0\n\none)\n\nmark(2\n\nthree))');
  const counts = (await platform.call('GET', `/v1/runs/${reply.body.id}`)).body.steps;
  assert.deepEqual(counts, { calling: 0, succeeded: 5, failed: 0, skipped: 2, waiting: 0 });
  const { items } = await stepsOf(reply.body.id);
  const states = Object.fromEntries(items.map(({ path, state }) => [path, state]));
  assert.deepEqual(states, {
    parts: 'succeeded',
    left: 'skipped',
    each: 'succeeded',
    'each[0]': 'succeeded',
    'each[1]': 'skipped',
    'each[2]': 'succeeded',
    last: 'succeeded',
  });
  assert.equal(items.find(({ path }) => path === 'each[2]')?.output, 'mark(2\n\nthree)');

  const pages: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await stepsOf(reply.body.id, `?limit=3${cursor}`);
    pages.push(...page.items.map(({ path }) => path));
    if (!page.next) break;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
  assert.deepEqual(
    pages,
    items.map(({ path }) => path),
  );
  const inEach = await stepsOf(reply.body.id, '?path=each');
  assert.deepEqual(inEach.items.map(({ path }) => path).sort(), ['each', 'each[0]', 'each[1]', 'each[2]']);
});

test('a chain answers JSON where its output leads into data', async () => {
  answers = () => '{"parts":["one","two"]}';
  await putChain('values', 'steps: {parts: {pattern: list}}\noutput: $steps.parts.data.parts');
  const version = await platform.call('GET', '/v1/patterns/values/versions/1');
  assert.deepEqual(version.body.output.schema, { type: 'array', items: { type: 'string' } });
  const { body } = await run('values');
  assert.deepEqual([body.output, body.data], ['["one","two"]', ['one', 'two']]);
  const read = (await platform.call('GET', `/v1/runs/${body.id}`)).body;
  assert.deepEqual([read.output, read.data], [body.output, body.data]);
});

test('a streamed chain tells its steps, and its answer at the end', async () => {
  await putChain('two', 'steps: {a: {pattern: mark}, b: {pattern: check, input: $steps.a.output}}');
  const { text } = await run('two', { stream: true });
  const events = [...text.matchAll(/^event: (.+)$/gm)].map(([, event]) => event);
  assert.equal(events[0], 'run.accepted');
  assert.equal(events.at(-1), 'run.succeeded');
  const changes = [...text.matchAll(/^event: step\.changed\n(?:id: .*\n)?data: (.+)$/gm)].map(([, data]) =>
    JSON.parse(data as string),
  );
  assert.deepEqual(
    changes.filter(({ state }) => state === 'succeeded').map(({ path }) => path),
    ['a', 'b'],
    text,
  );
});

test('a chain waits for a person, and goes on as they decide', async () => {
  await putChain(
    'asks',
    `steps:
  draft: {pattern: mark}
  ok: {approval: {message: [Send it?, $steps.draft.output]}, on_error: skip}
  send: {pattern: check, input: [$steps.draft.output, $steps.ok.output], when: {ref: $steps.ok.data.decision, equals: approve}}
  say: {pattern: merge, input: [$steps.send.output, $steps.ok.data.comment]}
`,
  );
  for (const decision of ['approve', 'reject'] as const) {
    const { body, status } = await run('asks', { mode: 'async' });
    assert.equal(status, 202);
    await until(body.id, (found) => found.status === 'waiting');
    const waiting = (await stepsOf(body.id)).items.find(({ path }) => path === 'ok');
    assert.deepEqual([waiting?.state, waiting?.waits_for], ['waiting', 'approval']);
    assert.equal(waiting?.output, 'Send it?\n\nmark <in>');
    const decided = await platform.call('POST', `/v1/runs/${body.id}/decisions`, { decision, comment: 'Fine by me.' });
    assert.equal(decided.status, 200, decided.text);
    const ended = await until(body.id, ({ status: now }) => now === 'succeeded' || now === 'failed');
    const sent = 'check <mark <in>\n\nFine by me.>';
    assert.equal(
      ended.output,
      `merge <${decision === 'approve' ? `${sent}\n\n` : ''}Fine by me.>`,
      JSON.stringify(ended),
    );
  }
});

test('a long input is done in parts that are merged, and a chain may run a chain', async () => {
  await putChain('long', 'steps: {all: {pattern: mark, map_reduce: {size: 500, overlap: 50, reduce: merge}}}');
  await putChain('outer', 'steps: {inner: {pattern: long}, end: {pattern: check, input: $steps.inner.output}}');
  answers = (system, input) => `${system}:${input.length}`;
  const input = 'A sentence of a long text. '.repeat(60);
  const { body } = await run('outer', { input });
  assert.match(body.output, /^check:\d+$/);
  const paths = (await stepsOf(body.id)).items.map(({ path }) => path);
  assert.ok(paths.includes('inner/all/map[3]') && paths.includes('inner/all/reduce1[0]'), paths.join(' '));
  const { items } = await stepsOf(body.id, '?path=inner/all/map[0]');
  assert.deepEqual(
    items.map(({ path, version }) => [path, version]),
    [['inner/all/map[0]', 1]],
  );
});

test('a chain that was accepted goes on with what it pinned, whatever becomes of its patterns', async () => {
  await put('gone', [{ path: 'system.md', content: 'old' }]);
  await putChain(
    'pins',
    'steps: {ok: {approval: {message: Go on?}}, do: {pattern: gone, after: [ok]}}\noutput: $steps.do.output',
  );
  const { body } = await run('pins', { mode: 'async' });
  await until(body.id, (found) => found.status === 'waiting');
  await platform.call('POST', '/v1/patterns/gone/versions', { system: 'new' });
  assert.equal((await platform.call('DELETE', '/v1/patterns/gone')).status, 200);
  await put('gone', [{ path: 'system.md', content: 'another' }]);
  await platform.call('POST', `/v1/runs/${body.id}/decisions`, { decision: 'approve' });
  const ended = await until(
    body.id,
    ({ status }) => status !== 'waiting' && status !== 'running' && status !== 'queued',
  );
  assert.equal(ended.output, 'old <in>', JSON.stringify(ended));
});

test('a chain that failed says where, is retried, and is run again', async () => {
  await putChain('again', 'steps: {a: {pattern: list}, b: {pattern: merge, input: [$input, $steps.a.output]}}');
  answers = () => 'no JSON';
  const { body } = await run('again', { mode: 'async' });
  const failed = await until(body.id, ({ status }) => status === 'failed');
  assert.deepEqual([failed.error.code, failed.error.detail.slice(0, 8)], ['invalid_output', 'Step a: ']);
  answers = (system, input) => (system === 'list' ? '{"parts":[]}' : `${system} <${input}>`);
  const retried = await platform.call('POST', `/v1/runs/${body.id}/retry`, {});
  assert.equal(retried.status, 202, retried.text);
  const ended = await until(retried.body.id, ({ status }) => status === 'succeeded');
  assert.deepEqual([ended.output, ended.rerun_of], ['merge <in\n\n{"parts":[]}>', body.id]);
  const again = await platform.call('POST', `/v1/runs/${body.id}/rerun`, { input: 'new' });
  assert.equal(again.body.output, 'merge <new\n\n{"parts":[]}>', again.text);
});

test('what a chain cannot take is refused before it is accepted, and a preview says what it would do', async () => {
  await putChain('plain', 'variables: {tone: {}}\nsteps: {a: {pattern: mark, input: $variables.tone}}');
  for (const [field, value] of Object.entries({
    model: 'openai/test',
    strategy: 'cot',
    language: 'de',
    session: 'x',
  })) {
    const reply = await run('plain', { variables: { tone: 'x' }, [field]: value });
    assert.ok([400, 404].includes(reply.status), reply.text);
  }
  assert.equal((await run('plain')).body.code, 'missing_variable');
  const preview = await platform.call('POST', '/v1/render', {
    pattern: 'plain',
    input: 'x',
    variables: { tone: 'dry' },
  });
  assert.equal(preview.status, 200, preview.text);
  assert.deepEqual(preview.body.steps, [{ path: 'a', pattern: 'mark', version: 1, needs: [] }]);
  assert.deepEqual(preview.body.messages, []);
  await platform.call('POST', '/v1/patterns/mark/versions', { system: 'mark {{more}}' });
  const refused = await run('plain', { variables: { tone: 'x' } });
  assert.deepEqual([refused.status, refused.body.code], [422, 'invalid_pattern'], refused.text);
  assert.match(refused.body.detail, /the step a: mark needs the variable more/);
  await putChain('elsewhere', 'steps: {a: {pattern: check, model: nobody/model}}');
  assert.equal((await run('elsewhere')).body.code, 'model_not_found');
  const none = await platform.call('GET', '/v1/runs/0198c0de-0000-7000-8000-000000000000/steps');
  assert.equal(none.status, 404);
});
