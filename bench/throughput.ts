import { show, table } from './figures.ts';
import { interleave, type MedianOf, type Sample } from './samples.ts';
import type { Bound, Section } from './section.ts';
import type { Kind, Peer, Peers } from './start-peers.ts';

const rounds = 5;
const seconds = 2.5;
const kindNames = { json: 'whole answer', stream: 'stream' };

const goals = {
  json: { share: 0.35, cpu: 110, portkey: 3 },
  stream: { share: 0.4, cpu: 140, portkey: 4 },
};

/** How much each takes at 64 connections while the upstream answers at once, and what it costs. */
export async function measureThroughput(
  peers: Peers,
): Promise<Section & { readonly rates: ReadonlyMap<Peer, number> }> {
  const { bare, damask, others } = peers;
  await peers.upstream(0, 0);
  const among = [bare, damask, ...others];
  const rows: (string | number)[][] = [];
  const bounds: Bound[] = [];
  const rates = new Map<Peer, number>();
  for (const kind of ['json', 'stream'] as const) {
    const of = await interleave(peers, among, kind, { seconds, connections: 64 }, rounds);
    const row = (name: string, value: (sample: Sample) => number, ratio = true) => {
      const values = among.map((peer) => of(peer, value));
      const share = ratio ? `${((values[1] as number) / (values[0] as number)).toFixed(2)} x` : '';
      rows.push([`${kindNames[kind]}: ${name}`, ...values, share]);
    };
    row('answers a second', answersASecond);
    row('µs of CPU an answer, process that serves', ({ cpu }) => cpu.own ?? 0);
    for (const part of ['postgres', 'companion']) {
      const cells = among.map((peer) => (peer === damask ? of(peer, ({ cpu }) => cpu[part] ?? 0) : ''));
      rows.push([
        `${kindNames[kind]}: µs of CPU an answer, ${part === 'postgres' ? 'PostgreSQL' : part}`,
        ...cells,
        '',
      ]);
    }
    row('p50 ms', ({ result }) => result.p50);
    row('p99 ms', ({ result }) => result.p99);
    bounds.push(...judge(kind, of, peers));
    for (const peer of among)
      rates.set(peer, Math.min(rates.get(peer) ?? Number.POSITIVE_INFINITY, of(peer, answersASecond)));
  }
  rows.push(['memory after it, MB', ...among.map((peer) => peer.residentMb()), '']);
  return {
    text: [
      '### 64 connections, upstream answers at once',
      table(['', ...among.map(({ name }) => (name === 'Damask' ? 'Damask, recording' : name)), 'Damask : bare'], rows),
    ].join('\n\n'),
    bounds,
    rates,
  };
}

const answersASecond = ({ result }: Sample) => result.answered / result.seconds;

function judge(kind: Kind, of: MedianOf, { bare, damask, others }: Peers): Bound[] {
  const goal = goals[kind];
  const name = kindNames[kind];
  const rate = (peer: Peer) => of(peer, answersASecond);
  const share = rate(damask) / rate(bare);
  const cpu = of(damask, (sample) => sample.cpu.own ?? 0);
  const bounds: Bound[] = [
    {
      what: `${name}: rate beside the bare proxy`,
      bound: `>= ${goal.share} x`,
      measured: `${share.toFixed(2)} x`,
      met: share >= goal.share,
    },
    {
      what: `${name}: µs of CPU a run, encryption included`,
      bound: `<= ${goal.cpu}`,
      measured: show(cpu),
      met: cpu <= goal.cpu,
    },
  ];
  const portkey = others.find((peer) => peer.name === 'Portkey');
  if (portkey) {
    const times = rate(damask) / rate(portkey);
    bounds.push({
      what: `${name}: rate beside Portkey`,
      bound: `>= ${goal.portkey} x`,
      measured: `${times.toFixed(1)} x`,
      met: times >= goal.portkey,
    });
  }
  return bounds;
}
