import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeHome, startDamask } from './damask-server.ts';
import { median, show, table } from './figures.ts';
import type { Section } from './section.ts';
import type { Peer, Peers } from './start-peers.ts';

const rounds = 20;

/** How soon a published version is what runs use, here and in another process on the same database; and how long a fetch takes. */
export async function measurePublish(peers: Peers): Promise<Section> {
  const { server, home, upstreamPort } = peers;
  const second = makeHome({
    DAMASK_DATABASE_URL: `postgresql://damask@localhost/damask?host=${encodeURIComponent(socketFolder(home.path))}`,
    DAMASK_KEY_FILE: join(home.path, '.config', 'damask', 'master.key'),
    OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
    OPENAI_API_KEY: 'sk-bench',
  });
  await peers.upstream(0, 0);
  const other = await startDamask(second);
  try {
    const here: number[] = [];
    const there: number[] = [];
    await server.call('POST', '/v1/patterns', { name: 'published', system: 'Round 0' });
    for (let round = 1; round <= rounds; round++) {
      const began = performance.now();
      const published = server.call('POST', '/v1/patterns/published/versions', { system: `Round ${round}` });
      const shows = async (url: string) => {
        while (!(await render(url, server.key)).includes(`Round ${round}`)) await wait(1);
        return performance.now() - began;
      };
      const seen = await Promise.all([shows(server.url), shows(other.url), published]);
      here.push(seen[0]);
      there.push(seen[1]);
      // Not in step with whatever looks at intervals.
      await wait(50 + ((round * 137) % 500));
    }
    await server.call('PUT', '/v1/patterns/published/labels/live', { version: 1 });
    const fetched = await peers.load(byLabel(peers.damask), 'json', { seconds: 3, connections: 1 });
    const slowest = Math.max(...here, ...there);
    return {
      text: [
        '### From publishing to effect, and the fetch of a pattern',
        table(
          ['ms', 'p50', 'largest'],
          [
            ['the request to publish until runs of the same process use it', median(here), Math.max(...here)],
            ['until runs of another process on the same database use it', median(there), Math.max(...there)],
          ],
        ),
        `A pattern fetched by name and label, expanded, over HTTP: p50 ${show(fetched.p50)} ms, p99 ${show(fetched.p99)} ms (${fetched.answered} one after the other).`,
      ].join('\n\n'),
      bounds: [
        {
          what: 'publish to effect in two processes, slowest',
          bound: '< 1,000 ms',
          measured: `${show(slowest)} ms`,
          met: slowest < 1_000,
        },
        {
          what: 'pattern fetched by name and label, p50',
          bound: '< 1 ms',
          measured: `${show(fetched.p50)} ms`,
          met: fetched.p50 < 1,
        },
      ],
    };
  } finally {
    await other.stop();
    second.remove();
  }
}

/** The same server, asked for a pattern by its label instead of a run. */
function byLabel(damask: Peer): Peer {
  return {
    ...damask,
    request: (kind) => ({
      ...damask.request(kind),
      path: '/v1/render',
      body: JSON.stringify({ pattern: 'published', label: 'live', input: 'x' }),
      mark: '"messages":',
    }),
  };
}

async function render(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/v1/render`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ pattern: 'published', input: 'x' }),
  });
  // The other process does not know the new pattern yet.
  if (response.status === 404) return '';
  if (!response.ok) throw new Error(`a preview answered ${response.status}`);
  return response.text();
}

/** PostgreSQL writes it into the file that it keeps while it runs. */
function socketFolder(home: string): string {
  return readFileSync(join(home, '.damask', 'postgres', 'postmaster.pid'), 'utf8').split('\n')[4] ?? '';
}
