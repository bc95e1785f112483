import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script;
/** Bodies that the model was sent in this test. */
let sent: readonly (typeof model.calls)[number][];
let callsBefore = 0;

const yaml = `
output:
  type: json
  schema:
    type: object
    properties:
      mood: {enum: [good, bad]}
    required: [mood]
    additionalProperties: false
`;
const orderedSchema =
  '{"type":"object","properties":{"thoughts":{"type":"string"},"a":{"type":"string"}},"required":["thoughts","a"]}';
const toolsYaml = `
tools:
  - name: weather
    description: Tells the weather.
    parameters: {type: object, properties: {city: {type: string}}}
`;

before(async () => {
  model = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  const publish = async (name: string, settings: string) => {
    const files = [
      { path: 'system.md', content: `Be ${name}.` },
      { path: 'pattern.yaml', content: settings },
    ];
    const { status, text } = await platform.call('POST', '/v1/patterns', { name, files });
    assert.equal(status, 201, text);
  };
  await publish('judge', yaml);
  await publish('free', 'output: {type: json}');
  await publish(
    'ordered',
    `output: {type: json, schema: ${orderedSchema}}\ntools: [{name: t, parameters: ${orderedSchema}}]`,
  );
  await publish('short', 'output: {type: json, max_characters: 5}');
  await publish('forecast', toolsYaml);
});
beforeEach(() => {
  callsBefore = model.calls.length;
});
after(async () => {
  await platform.stop();
  await model.close();
});

const run = async (fields: object = {}) => {
  const answer = await platform.call('POST', '/v1/runs', {
    pattern: 'judge',
    input: 'well?',
    model: 'openai/m',
    ...fields,
  });
  sent = model.calls.slice(callsBefore);
  return answer;
};
const says = (...texts: readonly string[]): Script => {
  let at = 0;
  return (_, answer) => answer.say(texts[Math.min(at++, texts.length - 1)] ?? '');
};

test('an answer of the form that the pattern asks for comes as a value beside its text', async () => {
  script = says('```json\n{"mood": "good"}\n```');
  const { status, body } = await run();
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.data, body.attempts.length], [{ mood: 'good' }, 1]);
  assert.equal(body.output, '```json\n{"mood": "good"}\n```');
  assert.match(JSON.stringify(sent[0]?.body.response_format), /"strict":true/);
  const kept = await platform.call('GET', `/v1/runs/${body.id}`);
  assert.deepEqual(kept.body.data, { mood: 'good' });
});

test('a model gets the fields of a schema in the order of their author, in which it will answer', async () => {
  script = says('{"thoughts": "", "a": ""}');
  assert.equal((await run({ pattern: 'ordered' })).status, 200);
  const { response_format, tools } = sent[0]?.body ?? {};
  for (const told of [response_format, tools]) assert.ok(JSON.stringify(told).includes(orderedSchema));
  const { body } = await platform.call('GET', '/v1/patterns/ordered/versions/1');
  assert.equal(JSON.stringify(body.output.schema), orderedSchema);
});

test('an answer of another form is sent back once with what is wrong, and both calls are counted', async () => {
  script = says('{"mood": "so so"}', '{"mood": "bad"}');
  const { status, body } = await run();
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.output, body.data], ['{"mood": "bad"}', { mood: 'bad' }]);
  assert.deepEqual(body.usage.input_tokens, 22);
  const attempts = body.attempts.map(({ number, outcome, code }: Record<string, unknown>) => [number, outcome, code]);
  assert.deepEqual(attempts, [
    [1, 'failed', 'invalid_output'],
    [2, 'succeeded', null],
  ]);
  const [, , answer, complaint] = sent[1]?.messages ?? [];
  assert.deepEqual([answer?.role, answer?.content], ['assistant', '{"mood": "so so"}']);
  assert.match(complaint?.content ?? '', /\/mood must be one of \["good","bad"\]/);
});

test('a second answer of another form fails the run with what is wrong', async () => {
  script = says('no JSON at all');
  const { status, body } = await run();
  assert.deepEqual([status, body.code, sent.length], [502, 'invalid_output', 2]);
  assert.match(body.detail, /is not JSON/);
  const kept = await platform.call('GET', `/v1/runs/${body.run_id}`);
  assert.deepEqual([kept.body.status, kept.body.output, kept.body.data], ['failed', 'no JSON at all', undefined]);
});

test('a stream that went out cannot be repaired and fails at its end', async () => {
  script = says('{"mood": "so so"}');
  const { text } = await run({ stream: true });
  assert.deepEqual(
    [sent.length, /event: run.failed/.test(text), /"code":"invalid_output"/.test(text)],
    [1, true, true],
  );
  script = says('{"mood": "good"}');
  assert.match(
    (await run({ stream: true })).text,
    /event: run.succeeded[^\n]*\n(id: .*\n)?data: .*"data":\{"mood":"good"\}/,
  );
});

test('what a limit of tokens cut off is not asked for again', async () => {
  script = (_, answer) => answer.say('{"mood": "go', { finish: 'length' });
  const { body } = await run();
  assert.deepEqual([body.code, sent.length], ['invalid_output', 1]);
  assert.match(body.detail, /cut off at its limit/);
});

test('an answer of the form that is longer than the pattern allows is no success', async () => {
  script = says('[1, 2, 3]');
  const { body } = await run({ pattern: 'short' });
  assert.deepEqual([body.code, sent.length], ['truncated', 1]);
  assert.match((await run({ pattern: 'short', stream: true })).text, /event: run.failed/);
});

test('a pattern without a schema takes any JSON', async () => {
  script = says('[1, 2]');
  assert.deepEqual((await run({ pattern: 'free' })).body.data, [1, 2]);
  assert.match(sent[0]?.messages[0]?.content ?? '', /^Be free\.\n\nAnswer with one JSON value/);
});

test('calls of tools come back, are kept, and are answered by sending them along', async () => {
  const call = { id: 'c1', name: 'weather', arguments: '{"city":"Bern"}' };
  script = ({ messages }, { response, say }) => {
    if (messages.at(-1)?.role === 'tool') return say('It rains.');
    const { id, ...called } = call;
    const message = { content: null, tool_calls: [{ id, type: 'function', function: called }] };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ choices: [{ message, finish_reason: 'tool_calls' }] }));
  };
  const { body } = await run({ pattern: 'forecast' });
  assert.deepEqual([body.stop_reason, body.output, body.tool_calls], ['tool_calls', '', [call]]);
  assert.deepEqual((await platform.call('GET', `/v1/runs/${body.id}`)).body.tool_calls, [call]);
  const turn = { tool_calls: body.tool_calls, results: [{ tool_call_id: 'c1', content: 'rain' }] };
  const answered = await run({ pattern: 'forecast', tool_turns: [turn], tool_choice: 'auto' });
  assert.deepEqual([answered.status, answered.body.output, answered.body.tool_calls], [200, 'It rains.', undefined]);
  const roles = sent.at(-1)?.messages.map((message) => message.role);
  assert.deepEqual(roles, ['system', 'user', 'assistant', 'tool']);
  assert.equal(sent.at(-1)?.body.tool_choice, 'auto');

  const stray = { ...turn, results: [{ tool_call_id: 'c2', content: 'rain' }] };
  const refused = await run({ pattern: 'forecast', tool_turns: [stray] });
  assert.deepEqual([refused.status, refused.body.pointer], [400, '/tool_turns/0/results/0/tool_call_id']);
});
