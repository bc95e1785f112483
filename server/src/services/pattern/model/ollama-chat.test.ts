import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openVendor } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(...lines: readonly object[]) {
  const said = lines.length > 0 ? lines : [{ message: { content: 'ok' }, done: true, done_reason: 'stop' }];
  const opened = await openVendor('ollama', ({ body }, response) => {
    response.writeHead(200, {
      'content-type': body.stream ? 'application/x-ndjson' : 'application/json; charset=utf-8',
    });
    response.end(said.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  closing.push(opened.close);
  return opened;
}

test('the request has the options apart and leaves out what nobody said', async () => {
  const { call, server } = await open();
  await call({ model: 'llama3.2:3b', parameters: { temperature: 0, max_tokens: 5, stop: ['END'] } });
  const [sent] = server.calls;
  assert.equal(sent?.path, '/api/chat');
  assert.deepEqual(sent?.body, {
    model: 'llama3.2:3b',
    messages: [{ role: 'user', content: 'hi' }],
    stream: false,
    options: { temperature: 0, stop: ['END'], num_predict: 5 },
  });
});

test('a long input gets the room that it needs, in steps and not without end', async () => {
  const { call, server } = await open();
  for (const [at, [length, room]] of (
    [
      [6_000, undefined],
      [30_000, 16_384],
      [900_000, 32_768],
    ] as const
  ).entries()) {
    await call({ messages: [{ role: 'user', content: 'x'.repeat(length) }] });
    assert.equal(server.calls[at]?.body.options.num_ctx, room);
  }
});

test('form, effort and tools are said in its own words', async () => {
  const { call, server } = await open();
  const schema = { type: 'object' };
  const tools = [{ name: 'weather', parameters: schema }];
  await call({
    model: 'gpt-oss:20b',
    output: { type: 'json', schema },
    parameters: { reasoning_effort: 'none' },
    tools,
  });
  await call({ output: { type: 'json' }, parameters: { reasoning_effort: 'high' }, tools, tool_choice: 'none' });
  const [first, second] = server.calls;
  assert.deepEqual([first?.body.format, first?.body.think], [schema, 'low']);
  assert.deepEqual(first?.body.tools, [{ type: 'function', function: tools[0] }]);
  assert.deepEqual([second?.body.format, second?.body.think, second?.body.tools], ['json', true, undefined]);
  const refused = await call({ tools, tool_choice: 'required' });
  assert.equal(!refused.ok && refused.code, 'invalid_request');
});

test('calls of tools come back as text, thoughts do not, and answers go in under their names', async () => {
  const { call, server } = await open(
    { message: { content: '', thinking: 'hm' }, done: false },
    { message: { content: 'Looking.' }, done: false },
    {
      message: { content: '', tool_calls: [{ function: { name: 'weather', arguments: { city: 'Bern' } } }] },
      done: false,
    },
    { message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 4, eval_count: 2 },
  );
  const result = await call({
    stream: true,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image', media_type: 'image/png', data: 'aGk=' },
        ],
      },
      { role: 'assistant', content: '', tool_calls: [{ id: 'a', name: 'weather', arguments: '{"city":"Ulm"}' }] },
      { role: 'tool', content: 'rain', tool_call_id: 'a' },
    ],
  });
  assert.ok(result.ok);
  assert.deepEqual([result.text, result.stopReason], ['Looking.', 'tool_calls']);
  assert.deepEqual(result.tool_calls, [{ id: 'call_damask_0', name: 'weather', arguments: '{"city":"Bern"}' }]);
  assert.deepEqual(server.calls[0]?.body.messages, [
    { role: 'user', content: 'see', images: ['aGk='] },
    { role: 'assistant', content: '', tool_calls: [{ function: { name: 'weather', arguments: { city: 'Ulm' } } }] },
    { role: 'tool', content: 'rain', tool_name: 'weather' },
  ]);
});

test('a PDF file is refused before anything is sent', async () => {
  const { call, server } = await open();
  const result = await call({
    messages: [
      { role: 'user', content: [{ type: 'document', media_type: 'application/pdf', name: 'a.pdf', data: 'aGk=' }] },
    ],
  });
  assert.ok(!result.ok && result.code === 'attachment_not_supported' && !result.uncertain);
  assert.match(result.detail, /^ollama cannot take PDF files here/);
  assert.equal(server.calls.length, 0);
});
