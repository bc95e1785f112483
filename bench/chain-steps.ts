import { setTimeout as wait } from 'node:timers/promises';
import { median, table } from './figures.ts';
import type { Section } from './section.ts';
import { input, type Peers } from './start-peers.ts';

const steps = 5;
const delay = 20;
const times = 80;

/** What a step of a chain adds to the time of its model. */
export async function measureChain(peers: Peers): Promise<Section> {
  const { server } = peers;
  await peers.upstream(delay, 0);
  const names = Array.from({ length: steps }, (_, at) => `s${at + 1}`);
  const lines = names.map((name, at) => {
    const before = at === 0 ? '$input' : `$steps.${names[at - 1]}.output`;
    return `  ${name}:\n    pattern: bench\n    input: ${before}\n`;
  });
  const content = `title: Five calls\nsteps:\n${lines.join('')}output: $steps.${names.at(-1)}.output\n`;
  await server.call('POST', '/v1/patterns', { name: 'five_calls', files: [{ path: 'pattern.yaml', content }] });
  const took: number[] = [];
  for (let at = 0; at < times; at++) {
    const begun = performance.now();
    const run = await server.call<{ status: string }>('POST', '/v1/runs', { pattern: 'five_calls', input });
    if (run.status !== 'succeeded') throw new Error(`a chain ended as ${run.status}`);
    if (at >= times / 4) took.push(performance.now() - begun);
    await wait(5);
  }
  const { p50 } = await peers.load(peers.direct, 'json', { seconds: 2, connections: 1 });
  const chain = median(took);
  const added = (chain - steps * p50) / steps;
  return {
    text: `### A chain of ${steps} steps, one after the other\n\n${table(
      ['ms, p50', ''],
      [
        ['one call of the model, without Damask', p50],
        [`the chain of ${steps}, from request to answer`, chain],
        ['added for each step', added],
      ],
    )}`,
    bounds: [
      { what: 'ms added for each step of a chain, p50', bound: '< 3', measured: added.toFixed(2), met: added < 3 },
    ],
  };
}
