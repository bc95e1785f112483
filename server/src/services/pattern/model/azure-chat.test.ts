import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openVendor } from './vendors-for-tests.ts';

const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function open(apiVersion: string | null, baseUrl?: (origin: string) => string) {
  const opened = await openVendor(
    'azure',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] }));
    },
    { apiVersion, ...(baseUrl ? { baseUrl: baseUrl('http://localhost') } : {}) },
  );
  closing.push(opened.close);
  return opened;
}

test('without a dated version the newer path is called, with the key in its own header', async () => {
  const { call, server } = await open(null);
  await call({ model: 'my-gpt', parameters: { max_tokens: 7, reasoning_effort: 'low' } });
  const [sent] = server.calls;
  assert.equal(sent?.path, '/openai/v1/chat/completions');
  assert.equal(sent?.headers['api-key'], 'sk-secret');
  assert.equal(sent?.headers.authorization, undefined);
  assert.deepEqual(sent?.body, {
    model: 'my-gpt',
    messages: [{ role: 'user', content: 'hi' }],
    reasoning_effort: 'low',
    max_completion_tokens: 7,
  });
});

test('a dated version calls the path of the deployment', async () => {
  const { call, server } = await open('2024-10-21');
  await call({ model: 'my/gpt' });
  assert.equal(server.calls[0]?.path, '/openai/deployments/my%2Fgpt/chat/completions?api-version=2024-10-21');
});

test('the preview of the newer path is named, and an address that was copied whole still fits', async () => {
  const { call, server } = await open('preview', (origin) => `${origin}/proxy/openai/v1/`);
  await call();
  assert.equal(server.calls[0]?.path, '/proxy/openai/v1/chat/completions?api-version=preview');
});

test('what the filter holds back is told as refused', async () => {
  const opened = await openVendor('azure', (_, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(
      '{"error":{"code":"content_filter","message":"The response was filtered due to the prompt triggering Azure OpenAI\'s content management policy."}}',
    );
  });
  closing.push(opened.close);
  const result = await opened.call();
  assert.equal(!result.ok && result.code, 'content_refused');
});
