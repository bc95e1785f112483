import { median, table } from './figures.ts';
import type { LoadResult } from './load.ts';
import { type Kind, type Peer, type Peers, startPeers } from './peers.ts';

const rounds = 5;
const seconds = 2.5;
const kinds: readonly Kind[] = ['json', 'stream'];
const kindNames = { json: 'whole answer', stream: 'stream' };

/** What the run path costs beside a proxy that does nothing but pass bytes on. */
export async function measureRunPath(say: (text: string) => void): Promise<string> {
  const peers = await startPeers();
  try {
    say('throughput');
    const throughput = await measureThroughput(peers);
    say('one after the other');
    const single = await measureAdded(peers, { delay: 0, gap: 0 }, { seconds: 1.5, connections: 1 });
    say('100 a second, upstream takes 50 ms');
    const steady = await measureAdded(peers, { delay: 50, gap: 5 }, { seconds: 2.5, connections: 32, rate: 100 });
    return [
      '### 64 connections, upstream answers at once',
      throughput,
      '### One request after the other, upstream answers at once',
      single,
      '### 100 requests a second, upstream takes 50 ms (5 ms between chunks)',
      steady,
    ].join('\n\n');
  } finally {
    await peers.stop();
  }
}

interface Sample {
  readonly result: LoadResult;
  /** Microseconds a request, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

async function sample(peers: Peers, peer: Peer, kind: Kind, load: Parameters<Peers['load']>[2]): Promise<Sample> {
  const before = peer.cpu();
  const result = await peers.load(peer, kind, load);
  const after = peer.cpu();
  if (result.errors > 0) throw new Error(`${peer.name}: ${result.errors} of ${result.answered} requests failed`);
  const cpu = Object.keys(after).map((name) => [
    name,
    ((after[name] ?? 0) - (before[name] ?? 0)) / Math.max(1, result.answered),
  ]);
  return { result, cpu: Object.fromEntries(cpu) };
}

/** Samples of all peers, taken in turns so that a busy moment of the machine meets all of them. */
async function interleave(
  peers: Peers,
  among: readonly Peer[],
  kind: Kind,
  load: Parameters<Peers['load']>[2],
): Promise<(peer: Peer, of: (sample: Sample) => number) => number> {
  const samples = new Map<Peer, Sample[]>(among.map((peer) => [peer, []]));
  for (const peer of among) await peers.load(peer, kind, { ...load, seconds: 1 });
  for (let round = 0; round < rounds; round++) {
    for (const peer of among) samples.get(peer)?.push(await sample(peers, peer, kind, load));
  }
  return (peer, of) => median((samples.get(peer) ?? []).map(of));
}

async function measureThroughput(peers: Peers): Promise<string> {
  const { bare, damask } = peers;
  await peers.upstream(0, 0);
  const rows: (string | number)[][] = [];
  for (const kind of kinds) {
    const of = await interleave(peers, [bare, damask], kind, { seconds, connections: 64 });
    const row = (name: string, value: (peer: Peer) => number) =>
      rows.push([
        `${kindNames[kind]}: ${name}`,
        value(bare),
        value(damask),
        `${(value(damask) / value(bare)).toFixed(2)} x`,
      ]);
    const cpu = (peer: Peer, name: string) => of(peer, (one) => one.cpu[name] ?? 0);
    row('answers a second', (peer) => of(peer, ({ result }) => result.answered / result.seconds));
    row('µs of CPU an answer, process that serves', (peer) => cpu(peer, peer === damask ? 'edge' : 'proxy'));
    rows.push([`${kindNames[kind]}: µs of CPU an answer, PostgreSQL`, '', cpu(damask, 'postgres'), '']);
    rows.push([`${kindNames[kind]}: µs of CPU an answer, companion`, '', cpu(damask, 'companion'), '']);
    row('p50 ms', (peer) => of(peer, ({ result }) => result.p50));
    row('p99 ms', (peer) => of(peer, ({ result }) => result.p99));
  }
  return table(['', 'bare proxy', 'Damask, recording', 'ratio'], rows);
}

async function measureAdded(
  peers: Peers,
  { delay, gap }: { delay: number; gap: number },
  load: Parameters<Peers['load']>[2],
): Promise<string> {
  const { direct, bare, damask } = peers;
  await peers.upstream(delay, gap);
  const rows: (string | number)[][] = [];
  for (const kind of kinds) {
    const of = await interleave(peers, [direct, bare, damask], kind, load);
    const row = (name: string, value: (result: LoadResult) => number) => {
      const added = (peer: Peer) => of(peer, ({ result }) => value(result)) - of(direct, ({ result }) => value(result));
      rows.push([`${kindNames[kind]}: ${name}`, added(bare), added(damask)]);
    };
    if (kind === 'stream') {
      row('to the first output, p50', (result) => result.first50);
      row('to the first output, p99', (result) => result.first99);
    }
    row('to the end, p50', (result) => result.p50);
    row('to the end, p99', (result) => result.p99);
  }
  return table(['ms added to the upstream’s own time', 'bare proxy', 'Damask, recording'], rows);
}
