import { setTimeout as wait } from 'node:timers/promises';
import { median } from './figures.ts';
import type { LoadResult } from './load.ts';
import type { Kind, Peer, Peers } from './start-peers.ts';

export interface Sample {
  readonly result: LoadResult;
  /** Microseconds a request, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

type LoadOptions = Parameters<Peers['load']>[2];

async function sample(peers: Peers, peer: Peer, kind: Kind, load: LoadOptions): Promise<Sample> {
  const before = peer.cpu();
  const result = await peers.load(peer, kind, load);
  const after = peer.cpu();
  // Another gateway may refuse what is too much for it; we and the yardsticks may not.
  if (result.errors > 0 && !peers.others.includes(peer))
    throw new Error(`${peer.name}: ${result.errors} of ${result.answered} requests failed`);
  const cpu = Object.keys(after).map((name) => [
    name,
    ((after[name] ?? 0) - (before[name] ?? 0)) / Math.max(1, result.answered),
  ]);
  return { result, cpu: Object.fromEntries(cpu) };
}

/** The median over the rounds of what `of` takes from a sample of `peer`. */
export type MedianOf = (peer: Peer, of: (sample: Sample) => number) => number;

/** Samples of all peers, taken in turns so that a busy moment of the machine meets all of them. */
export async function interleave(
  peers: Peers,
  among: readonly Peer[],
  kind: Kind,
  load: LoadOptions,
  rounds: number,
): Promise<MedianOf> {
  const samples = new Map<Peer, Sample[]>(among.map((peer) => [peer, []]));
  // The first seconds belong to the compiler.
  const warmUp = load.rate === undefined && load.connections > 1 ? 4 : 1;
  for (const peer of among) {
    await peers.load(peer, kind, { ...load, seconds: warmUp });
    await settle(peer);
  }
  for (let round = 0; round < rounds; round++) {
    for (const peer of among) {
      samples.get(peer)?.push(await sample(peers, peer, kind, load));
      await settle(peer);
    }
  }
  return (peer, of) => median((samples.get(peer) ?? []).map(of));
}

/** Whoever still works off what nobody waits for any more would slow the next one down. */
async function settle(peer: Peer) {
  const total = () => Object.values(peer.cpu()).reduce((sum, cpu) => sum + cpu, 0);
  for (let before = total(), tries = 0; tries < 20; tries++) {
    await wait(250);
    const now = total();
    if (now - before <= 20_000) return;
    before = now;
  }
}
