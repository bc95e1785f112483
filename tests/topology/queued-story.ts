import assert from 'node:assert/strict';
import type { createHttpClient } from '../http-client.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
type Ask = (method: string, path: string, body?: unknown) => Promise<any>;

/** Runs that nobody waits for, and a chain: whichever process executes them. */
export async function tellQueued(
  ask: Ask,
  client: ReturnType<typeof createHttpClient>,
  key: string,
  note: (asked: string, answer: unknown) => void,
): Promise<void> {
  const ended = async (run: string) => {
    for (let look = 0; look < 400; look++) {
      const { body } = await client.send('GET', `/v1/runs/${run}`, { key });
      if (['succeeded', 'failed', 'cancelled'].includes(body.status)) return ask('GET', `/v1/runs/${run}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return assert.fail('The run does not end');
  };
  const queued = { pattern: 'greet', input: 'later', variables: { name: 'Ada' }, model: 'openai/test', mode: 'async' };
  const run = await ask('POST', '/v1/runs', queued);
  // Read along from its beginning, wherever it is executed.
  const events = await client.send('GET', `/v1/runs/${run.id}/events`, { key });
  note('the text of a queued run', textOf(events.text));
  await ended(run.id);

  const keyed = { ...queued, idempotency_key: 'queued story' };
  const first = await ask('POST', '/v1/runs', keyed);
  await ended(first.id);
  assert.equal((await ask('POST', '/v1/runs', keyed)).id, first.id);

  // Not one that is tried again: how often depends on what else a process has called.
  const failed = await ask('POST', '/v1/runs', { ...queued, input: 'refuse' });
  await ended(failed.id);
  const retried = await ask('POST', `/v1/runs/${failed.id}/retry`, {});
  await ended(retried.id);

  const later = await ask('POST', '/v1/runs', { ...queued, start_at: '2100-01-01T00:00:00Z' });
  assert.equal(later.code, 'invalid_request');
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const { body: waiting } = await client.send('POST', '/v1/runs', { key, body: { ...queued, start_at: soon } });
  await ask('POST', `/v1/runs/${waiting.id}/cancel`);
  await ended(waiting.id);

  const held = await ask('POST', '/v1/runs', { ...queued, input: 'never' });
  for (let look = 0; look < 400; look++) {
    const { body } = await client.send('GET', `/v1/runs/${held.id}`, { key });
    if (body.status === 'running') break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await client.send('POST', `/v1/runs/${held.id}/cancel`, { key });
  await ended(held.id);

  const steps = ['steps:', '  one:', '    pattern: greet', '    input: $input', '    variables: {name: Ada}'];
  const settings = [
    ...steps,
    '  two:',
    '    pattern: greet',
    '    input: $steps.one.output',
    '    variables: {name: Bob}',
  ];
  await ask('POST', '/v1/patterns', {
    name: 'chained',
    files: [{ path: 'pattern.yaml', content: [...settings, 'output: $steps.two.output', ''].join('\n') }],
  });
  await ask('POST', '/v1/runs', { pattern: 'chained', input: 'now', model: 'openai/test' });
}

/** The deltas of a stream, put together. */
function textOf(stream: string): string {
  return [...stream.matchAll(/event: output\.delta\n(?:id: .*\n)?data: (.*)/g)]
    .map(([, data]) => JSON.parse(data as string).text)
    .join('');
}
