import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { VendorScript } from '#platform/testing/vendor-server.ts';
import { openVendor } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(...answers: readonly object[]) {
  const script: VendorScript = ({ number, path }, response) => {
    const answer = answers[Math.min(number, answers.length) - 1] ?? candidate([{ text: 'ok' }]);
    const chunks = Array.isArray(answer) ? answer : [answer];
    if (path.includes('alt=sse')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join(''));
    } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chunks[0]));
  };
  const opened = await openVendor('gemini', script);
  closing.push(opened.close);
  return opened;
}

const candidate = (parts: readonly object[], finishReason: string | undefined = 'STOP', more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, ...(finishReason ? { finishReason } : {}) }],
  ...more,
});

test('the request has its own words for everything, and the model in its path as one piece', async () => {
  const { call, server } = await open();
  await call({
    model: 'gemini-2.5-flash',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yes?' },
      { role: 'user', content: 'more' },
    ],
    parameters: { temperature: 0.1, top_p: 0.9, seed: 4, stop: ['END'], presence_penalty: 1, frequency_penalty: 2 },
  });
  const [sent] = server.calls;
  assert.equal(sent?.path, '/v1beta/models/gemini-2.5-flash:generateContent');
  assert.equal(sent?.headers['x-goog-api-key'], 'sk-secret');
  assert.deepEqual(sent?.body, {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'model', parts: [{ text: 'yes?' }] },
      { role: 'user', parts: [{ text: 'more' }] },
    ],
    generationConfig: {
      temperature: 0.1,
      topP: 0.9,
      presencePenalty: 1,
      frequencyPenalty: 2,
      seed: 4,
      stopSequences: ['END'],
      maxOutputTokens: 1_000,
    },
  });
  await call({ model: 'a/../b?x#y', stream: true });
  assert.equal(server.calls[1]?.path, '/v1beta/models/a%2F..%2Fb%3Fx%23y:streamGenerateContent?alt=sse');
});

test('effort is a number of tokens for the series 2.5 and a level later', async () => {
  const { call, server } = await open();
  const cases = [
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }],
    ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576 }],
    ['gemini-3-flash', 'none', { thinkingLevel: 'minimal' }],
    ['gemini-3-pro', 'minimal', { thinkingLevel: 'low' }],
    ['gemini-3-pro', 'medium', { thinkingLevel: 'medium' }],
  ] as const;
  for (const [at, [model, reasoning_effort, expected]] of cases.entries()) {
    await call({ model, parameters: { reasoning_effort } });
    assert.deepEqual(server.calls[at]?.body.generationConfig.thinkingConfig, expected);
  }
});

test('a form is asked for natively, and in words beside tools, which exclude it', async () => {
  const { call, server } = await open();
  const output = { type: 'json' as const, schema: { type: 'array' } };
  await call({ output });
  assert.deepEqual(server.calls[0]?.body.generationConfig, {
    maxOutputTokens: 1_000,
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'array' },
  });
  await call({ output, tools: [{ name: 'x', parameters: {} }] });
  assert.equal(server.calls[1]?.body.generationConfig.responseMimeType, undefined);
  assert.match(server.calls[1]?.body.systemInstruction.parts[0].text, /Answer with one JSON value/);
});

test('tools go out, calls come back with their arguments, and answers go in together under their names', async () => {
  const { call, server } = await open([
    candidate([{ text: 'planning', thought: true }, { text: 'Looking.' }], undefined),
    candidate([{ functionCall: { id: 'f1', name: 'weather', args: { city: 'Bern' } } }], undefined),
    candidate([{ functionCall: { name: 'weather', args: {} } }], 'STOP', {
      usageMetadata: {
        promptTokenCount: 9,
        candidatesTokenCount: 4,
        thoughtsTokenCount: 6,
        cachedContentTokenCount: 3,
      },
    }),
  ]);
  const result = await call({
    model: 'gemini-3-flash',
    stream: true,
    tools: [{ name: 'weather', parameters: { type: 'object' } }],
    tool_choice: { name: 'weather' },
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'f0', name: 'weather', arguments: '{"city":"Ulm"}' },
          { id: 'call_damask_1', name: 'time', arguments: '{}' },
        ],
      },
      { role: 'tool', content: 'rain', tool_call_id: 'f0' },
      { role: 'tool', content: 'noon', tool_call_id: 'call_damask_1' },
    ],
  });
  assert.ok(result.ok);
  assert.deepEqual([result.text, result.stopReason], ['Looking.', 'tool_calls']);
  assert.deepEqual(result.tool_calls, [
    { id: 'f1', name: 'weather', arguments: '{"city":"Bern"}' },
    { id: 'call_damask_1', name: 'weather', arguments: '{}' },
  ]);
  assert.deepEqual(result.usage, { input_tokens: 9, output_tokens: 10, cached_input_tokens: 3, reasoning_tokens: 6 });
  const { body } = server.calls[0] ?? {};
  assert.deepEqual(body.tools, [
    { functionDeclarations: [{ name: 'weather', parametersJsonSchema: { type: 'object' } }] },
  ]);
  assert.deepEqual(body.toolConfig, { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } });
  assert.deepEqual(body.contents.slice(1), [
    {
      role: 'model',
      parts: [
        {
          functionCall: { id: 'f0', name: 'weather', args: { city: 'Ulm' } },
          thoughtSignature: 'skip_thought_signature_validator',
        },
        { functionCall: { name: 'time', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'f0', name: 'weather', response: { result: 'rain' } } },
        { functionResponse: { name: 'time', response: { result: 'noon' } } },
      ],
    },
  ]);
});

test('images and PDF files go out as data beside the text', async () => {
  const { call, server } = await open();
  const pdf = { type: 'document' as const, media_type: 'application/pdf' as const, name: 'a.pdf', data: 'aGk=' };
  await call({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, pdf] }] });
  assert.deepEqual(server.calls[0]?.body.contents[0].parts, [
    { text: 'see' },
    { inlineData: { mimeType: 'application/pdf', data: 'aGk=' } },
  ]);
});

test('stop reasons have the common names; a blocked prompt and a filtered answer without text are refusals', async () => {
  const { call } = await open(
    candidate([{ text: 'a' }], 'MAX_TOKENS'),
    candidate([{ text: 'a' }], 'SAFETY'),
    candidate([{ text: 'a' }], 'OTHER'),
    candidate([], 'SAFETY'),
    { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 4 } },
  );
  for (const expected of ['length', 'content_filter', 'other']) {
    const result = await call();
    assert.equal(result.ok && result.stopReason, expected);
  }
  for (const _ of [1, 2]) {
    const result = await call();
    assert.equal(!result.ok && result.code, 'content_refused');
  }
});

test('a stream whose prompt was blocked is a refusal, and a busy model in a stream is busy', async () => {
  const { call } = await open(
    [{ promptFeedback: { blockReason: 'SAFETY' } }],
    [
      candidate([{ text: 'a' }], undefined),
      { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
    ],
  );
  for (const code of ['content_refused', 'provider_busy']) {
    const result = await call({ stream: true });
    assert.equal(!result.ok && result.code, code);
  }
});

test('a key that is none is told as such, although the status does not say so', async () => {
  const { call, close } = await openVendor('gemini', (_, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}');
  });
  closing.push(close);
  const result = await call();
  assert.equal(!result.ok && result.code, 'provider_auth');
});
