import { show, table } from './figures.ts';
import type { LoadResult } from './load.ts';
import { interleave } from './samples.ts';
import type { Bound, Section } from './section.ts';
import type { Peer, Peers } from './start-peers.ts';

const rounds = 4;

export interface AddedOptions {
  /** Milliseconds before the upstream's first byte, and between two chunks of its streams. */
  readonly delay: number;
  readonly gap: number;
  readonly seconds: number;
  readonly connections: number;
  /** Requests a second; without it each connection asks again as soon as it is answered. */
  readonly rate?: number;
  /** Other gateways, as far as they can keep up. */
  readonly others: readonly Peer[];
}

/** The time that each puts on top of the upstream's own. */
export async function measureAdded(peers: Peers, options: AddedOptions): Promise<Section> {
  const { delay, gap, others, ...load } = options;
  const { direct, bare, damask } = peers;
  await peers.upstream(delay, gap);
  const shown = [bare, damask, ...others];
  const rows: (string | number)[][] = [];
  const bounds: Bound[] = [];
  for (const kind of ['json', 'stream'] as const) {
    const of = await interleave(peers, [direct, ...shown], kind, load, rounds);
    const added = (peer: Peer, value: (result: LoadResult) => number) =>
      of(peer, ({ result }) => value(result)) - of(direct, ({ result }) => value(result));
    const name = kind === 'json' ? 'whole answer' : 'stream';
    const row = (what: string, value: (result: LoadResult) => number) =>
      rows.push([`${name}: ${what}`, ...shown.map((peer) => added(peer, value))]);
    if (kind === 'stream') {
      row('to the first output, p50', (result) => result.first50);
      row('to the first output, p99', (result) => result.first99);
    }
    row('to the end, p50', (result) => result.p50);
    row('to the end, p99', (result) => result.p99);
    if (load.rate === undefined) continue;
    const [what, most, value] =
      kind === 'json'
        ? ([`ms added at ${load.rate} runs/s, p50`, 1.5, added(damask, (result) => result.p50)] as const)
        : ([`ms added to the first output at ${load.rate} runs/s, p50`, 0.5, added(damask, first)] as const);
    bounds.push({ what, bound: `<= ${most}`, measured: show(value), met: value <= most });
  }
  const title =
    load.rate === undefined
      ? '### One request after the other, upstream answers at once'
      : `### ${load.rate} requests a second, upstream takes ${delay} ms (${gap} ms between chunks)`;
  const head = ['ms added to the upstream’s own time', ...shown.map((peer) => peer.name)];
  return { text: [title, table(head, rows)].join('\n\n'), bounds };
}

const first = (result: LoadResult) => result.first50;
