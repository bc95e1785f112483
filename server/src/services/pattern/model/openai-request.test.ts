import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AdapterOptions } from './create-adapter.ts';
import { openVendor } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(options: Partial<AdapterOptions> = {}, chunks: readonly object[] = []) {
  const opened = await openVendor(
    'openai',
    ({ body }, response) => {
      if (body.stream) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(
          [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((chunk) => `data: ${chunk}\n\n`).join(''),
        );
      } else {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] }));
      }
    },
    options,
  );
  closing.push(opened.close);
  return opened;
}

const weather = { name: 'weather', description: 'Tells it', parameters: { type: 'object', properties: {} } };

test('a form is asked for strictly where its schema allows that, and in words where the server takes no form', async () => {
  const { call, server } = await open();
  const closed = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  await call({ output: { type: 'json', schema: closed } });
  await call({ output: { type: 'json', schema: { ...closed, required: [] } } });
  await call({ output: { type: 'json' } });
  await call({ output: { type: 'json', schema: { type: 'array' } } });
  const formats = server.calls.map((sent) => sent.body.response_format);
  assert.deepEqual(formats[0], { type: 'json_schema', json_schema: { name: 'answer', schema: closed, strict: true } });
  assert.equal(formats[1].json_schema.strict, false);
  assert.deepEqual(formats[2], { type: 'json_object' });
  assert.match(server.calls[2]?.body.messages[0].content, /JSON/);
  assert.equal(formats[3], undefined);
  assert.match(server.calls[3]?.body.messages[0].content, /"type":"array"/);

  const asObject = await open({ baseUrl: 'https://api.deepseek.com' });
  await asObject.call({ output: { type: 'json', schema: closed } });
  const [sentAsObject] = asObject.server.calls;
  assert.deepEqual(sentAsObject?.body.response_format, { type: 'json_object' });
  assert.ok(sentAsObject?.body.messages[0].content.endsWith(JSON.stringify(closed)));

  const inWords = await open({ forms: 'words' });
  await inWords.call({ output: { type: 'json', schema: closed } });
  const { body } = inWords.server.calls[0] ?? {};
  assert.equal(body.response_format, undefined);
  assert.ok(body.messages[0].content.endsWith(JSON.stringify(closed)));
});

test('tools go out, streamed calls are joined by their place, and answers go in', async () => {
  const call0 = (piece: object) => ({ choices: [{ delta: { tool_calls: [piece] } }] });
  const { call, server } = await open({}, [
    call0({ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } }),
    call0({ index: 0, function: { arguments: '{"city":' } }),
    call0({ index: 1, id: 'c2', function: { name: 'weather', arguments: '{}' } }),
    call0({ index: 0, function: { arguments: '"Bern"}' } }),
    { choices: [{ delta: {}, finish_reason: 'tool_calls' }] },
    {
      choices: [],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    },
  ]);
  const result = await call({
    stream: true,
    tools: [weather],
    tool_choice: { name: 'weather' },
    parameters: { reasoning_effort: 'high', stop: ['END'] },
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'c0', name: 'weather', arguments: '{"city":"Ulm"}' }] },
      { role: 'tool', content: 'rain', tool_call_id: 'c0' },
    ],
  });
  assert.ok(result.ok);
  assert.equal(result.stopReason, 'tool_calls');
  assert.deepEqual(result.tool_calls, [
    { id: 'c1', name: 'weather', arguments: '{"city":"Bern"}' },
    { id: 'c2', name: 'weather', arguments: '{}' },
  ]);
  assert.deepEqual(result.usage, { input_tokens: 9, output_tokens: 5, cached_input_tokens: 8, reasoning_tokens: 3 });
  const { body } = server.calls[0] ?? {};
  assert.deepEqual([body.reasoning_effort, body.stop], ['high', ['END']]);
  assert.deepEqual(body.tools, [{ type: 'function', function: weather }]);
  assert.deepEqual(body.tool_choice, { type: 'function', function: { name: 'weather' } });
  assert.deepEqual(body.messages.slice(1), [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c0', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } }],
    },
    { role: 'tool', content: 'rain', tool_call_id: 'c0' },
  ]);
});

test('images go out as addresses with their data; PDF files only to OpenAI itself', async () => {
  const { call, server } = await open();
  const image = { type: 'image' as const, media_type: 'image/png', data: 'aGk=' };
  const file = { type: 'document' as const, media_type: 'application/pdf' as const, name: 'a.pdf', data: 'aGk=' };
  await call({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }] });
  assert.deepEqual(server.calls[0]?.body.messages[0].content, [
    { type: 'text', text: 'see' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
  ]);
  const refused = await call({ messages: [{ role: 'user', content: [file] }] });
  assert.equal(!refused.ok && refused.code, 'attachment_not_supported');
  const official = await open({ baseUrl: 'https://api.openai.com/v1' });
  await official.call({ messages: [{ role: 'user', content: [file] }] });
  assert.deepEqual(official.server.calls[0]?.body.messages[0].content, [
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
  ]);
});

test('more tool calls than anybody needs are a protocol error', async () => {
  const { call } = await open({}, [
    { choices: [{ delta: { tool_calls: [{ index: 1e9, function: { name: 'x' } }] } }] },
  ]);
  const result = await call({ stream: true });
  assert.equal(!result.ok && result.code, 'provider_protocol_error');
});
