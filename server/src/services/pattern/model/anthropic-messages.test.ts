import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { VendorScript } from '#platform/testing/vendor-server.ts';
import { openVendor } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(script: VendorScript = (_, response) => say(response, [{ type: 'text', text: 'ok' }])) {
  const opened = await openVendor('anthropic', script);
  closing.push(opened.close);
  return opened;
}

function say(response: Parameters<VendorScript>[1], content: object[], more: object = {}) {
  const document = {
    type: 'message',
    content,
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
    ...more,
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

function stream(response: Parameters<VendorScript>[1], events: readonly object[]) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}

const messages = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: 'hi' },
];
const schema = {
  type: 'object',
  properties: { mood: { type: 'string', minLength: 2 } },
  required: ['mood'],
};

test('the request has the system text apart, the key in its own header and always a limit', async () => {
  const { call, server } = await open();
  await call({ model: 'claude-haiku-4-5', messages, parameters: { temperature: 0.2, stop: ['END'], seed: 3 } });
  const [sent] = server.calls;
  assert.equal(sent?.path, '/v1/messages');
  assert.equal(sent?.headers['x-api-key'], 'sk-secret');
  assert.equal(sent?.headers['anthropic-version'], '2023-06-01');
  assert.equal(sent?.headers.authorization, undefined);
  assert.deepEqual(sent?.body, {
    model: 'claude-haiku-4-5',
    max_tokens: 1_000,
    messages: [{ role: 'user', content: 'hi' }],
    system: 'Be brief.',
    temperature: 0.2,
    stop_sequences: ['END'],
  });
});

test('the cache mark stands on the system text and at the end of what came before the last message', async () => {
  const { call, server } = await open();
  const history = [
    ...messages,
    { role: 'assistant' as const, content: 'yes?' },
    { role: 'user' as const, content: 'more' },
  ];
  await call({ messages: history, cachePrompt: true });
  const mark = { type: 'ephemeral' };
  assert.deepEqual(server.calls[0]?.body.system, [{ type: 'text', text: 'Be brief.', cache_control: mark }]);
  assert.deepEqual(server.calls[0]?.body.messages, [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: [{ type: 'text', text: 'yes?', cache_control: mark }] },
    { role: 'user', content: 'more' },
  ]);
});

test('effort is said as each generation of models takes it', async () => {
  const { call, server } = await open();
  const cases = [
    ['claude-opus-5', 'high', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
    ['claude-sonnet-4-6', 'minimal', { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
    ['claude-opus-4-5-20251101', 'medium', { output_config: { effort: 'medium' }, temperature: 0.5 }],
    ['claude-haiku-4-5-20251001', 'low', { thinking: { type: 'enabled', budget_tokens: 2_048 }, max_tokens: 3_048 }],
    ['claude-sonnet-4-20250514', 'minimal', { thinking: { type: 'enabled', budget_tokens: 1_024 }, max_tokens: 2_024 }],
    ['claude-3-7-sonnet-latest', 'none', { thinking: { type: 'disabled' }, temperature: 0.5 }],
  ] as const;
  for (const [at, [model, reasoning_effort, expected]] of cases.entries()) {
    await call({ model, parameters: { reasoning_effort, temperature: 0.5 } });
    const { messages: _, ...sent } = server.calls[at]?.body ?? {};
    assert.deepEqual(sent, { model, max_tokens: 1_000, ...expected });
  }
});

test('a form is asked for natively, without the bounds that the vendor does not take', async () => {
  const { call, server } = await open();
  await call({ model: 'claude-sonnet-4-5', output: { type: 'json', schema } });
  assert.deepEqual(server.calls[0]?.body.output_config, {
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { mood: { type: 'string' } },
        required: ['mood'],
        additionalProperties: false,
      },
    },
  });
  await call({ model: 'claude-sonnet-4-5', messages, output: { type: 'json', schema: { type: 'array' } } });
  assert.equal(server.calls[1]?.body.output_config, undefined);
  assert.match(server.calls[1]?.body.system, /^Be brief\.\n\nAnswer with one JSON value.*\n\{"type":"array"\}$/);
});

test('an older model answers a form through a tool, whose arguments are the text', async () => {
  const { call, server } = await open(({ body }, response) => {
    const start = {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 't', name: 'answer', input: {} },
    };
    const delta = (partial_json: string) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'input_json_delta', partial_json },
    });
    if (body.stream) {
      stream(response, [
        start,
        delta('{"mood"'),
        delta(':"good"}'),
        { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 4 } },
        { type: 'message_stop' },
      ]);
    } else
      say(response, [{ type: 'tool_use', id: 't', name: 'answer', input: { mood: 'good' } }], {
        stop_reason: 'tool_use',
      });
  });
  for (const asStream of [true, false]) {
    const result = await call({ model: 'claude-3-5-haiku-latest', stream: asStream, output: { type: 'json', schema } });
    assert.ok(result.ok);
    assert.deepEqual([result.text, result.stopReason, result.tool_calls], ['{"mood":"good"}', 'stop', []]);
  }
  assert.deepEqual(server.calls[0]?.body.tool_choice, { type: 'tool', name: 'answer' });
});

const weather = { name: 'weather', description: 'Tells it', parameters: { type: 'object', properties: {} } };

test('tools go out, their calls come back joined, and the answers go in as one message', async () => {
  const { call, server } = await open((_, response) =>
    stream(response, [
      { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Looking.' } },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 'tu_1', name: 'weather', input: {} },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"city":' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"Bern"}' } },
      {
        type: 'content_block_start',
        index: 2,
        content_block: { type: 'tool_use', id: 'tu_2', name: 'weather', input: {} },
      },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 20 } },
      { type: 'message_stop' },
    ]),
  );
  const result = await call({
    stream: true,
    tools: [weather],
    tool_choice: 'required',
    messages: [
      ...messages,
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'a', name: 'weather', arguments: '{"city":"Ulm"}' },
          { id: 'b', name: 'weather', arguments: '' },
        ],
      },
      { role: 'tool', content: 'rain', tool_call_id: 'a' },
      { role: 'tool', content: 'sun', tool_call_id: 'b' },
    ],
  });
  assert.ok(result.ok);
  assert.deepEqual(result.tool_calls, [
    { id: 'tu_1', name: 'weather', arguments: '{"city":"Bern"}' },
    { id: 'tu_2', name: 'weather', arguments: '{}' },
  ]);
  assert.deepEqual([result.text, result.stopReason, result.usage.output_tokens], ['Looking.', 'tool_calls', 20]);
  const { body } = server.calls[0] ?? {};
  assert.deepEqual(body.tools, [{ name: 'weather', description: 'Tells it', input_schema: weather.parameters }]);
  assert.deepEqual(body.tool_choice, { type: 'any' });
  assert.deepEqual(body.messages.slice(1), [
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Ulm' } },
        { type: 'tool_use', id: 'b', name: 'weather', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: 'rain' },
        { type: 'tool_result', tool_use_id: 'b', content: 'sun' },
      ],
    },
  ]);
});

test('images and PDF files go out as blocks; another kind of image is refused before anything is sent', async () => {
  const { call, server } = await open();
  const image = { type: 'image' as const, media_type: 'image/png', data: 'aGk=' };
  const file = { type: 'document' as const, media_type: 'application/pdf' as const, name: 'a.pdf', data: 'aGk=' };
  await call({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image, file] }] });
  assert.deepEqual(server.calls[0]?.body.messages[0].content, [
    { type: 'text', text: 'see' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' }, title: 'a.pdf' },
  ]);
  const refused = await call({ messages: [{ role: 'user', content: [{ ...image, media_type: 'image/tiff' }] }] });
  assert.ok(!refused.ok && refused.code === 'attachment_not_supported');
  assert.equal(server.calls.length, 1);
});

test('usage counts what the cache held and took as input', async () => {
  const { call } = await open((_, response) =>
    say(response, [{ type: 'text', text: 'ok' }], {
      usage: { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 2 },
    }),
  );
  const { usage } = await call();
  assert.deepEqual(usage, {
    input_tokens: 125,
    output_tokens: 2,
    cached_input_tokens: 100,
    reasoning_tokens: null,
    cache_write_tokens: 20,
  });
});

test('stop reasons have the common names, and a refusal without a word is a failure', async () => {
  const reasons = [
    ['max_tokens', 'length'],
    ['stop_sequence', 'stop'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'pause_turn'],
  ] as const;
  const { call } = await open(({ number }, response) => {
    const [said] = reasons[number - 1] ?? ['refusal'];
    say(response, number > reasons.length ? [] : [{ type: 'text', text: 'so' }], { stop_reason: said });
  });
  for (const [, expected] of reasons) {
    const result = await call();
    assert.equal(result.ok && result.stopReason, expected);
  }
  const refused = await call();
  assert.equal(!refused.ok && refused.code, 'content_refused');
});

test('an overloaded server inside a stream that began is busy, and thinking is no part of the answer', async () => {
  const { call } = await open((_, response) =>
    stream(response, [
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'a' } },
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ]),
  );
  const result = await call({ stream: true });
  assert.ok(!result.ok && result.code === 'provider_busy');
  assert.deepEqual([result.text, /Overloaded/.test(result.detail)], ['a', true]);
});
