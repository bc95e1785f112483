import type { Cluster, Member } from './cluster.ts';

const system = 'Say it again.';
const chain = `title: Three
steps:
  one: { pattern: steady }
  two: { pattern: steady, input: $steps.one.output }
  three: { pattern: steady, input: $steps.two.output }
output: $steps.three.output
`;

/** Of a day: so many that no run waits. */
const budgetTokens = 1_000_000_000_000;

/** Publishes what is run, a timer that every process could start and one does, and a budget that every call is held against. */
export async function prepareLoad({ members: [member], key }: Cluster): Promise<void> {
  const send = async (method: string, path: string, body: object) => {
    const response = await fetch(`${(member as Member).url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} was refused: ${await response.text()}`);
  };
  await send('POST', '/v1/patterns', { name: 'echo', system: 'Say it again, 1.' });
  await send('POST', '/v1/patterns', { name: 'steady', system });
  const again = [
    { path: 'system.md', content: system },
    { path: 'pattern.yaml', content: 'on_uncertain: retry\n' },
  ];
  await send('POST', '/v1/patterns', { name: 'again', files: again });
  await send('POST', '/v1/patterns', { name: 'three', files: [{ path: 'pattern.yaml', content: chain }] });
  const run = { pattern: 'steady', input: 'a tick', model: 'openai/well' };
  await send('PUT', '/v1/timers/each_minute', { cron: '* * * * *', run });
  await send('PUT', '/v1/budgets/all', { covers: 'workspace', period: 'day', limit_tokens: budgetTokens });
}
