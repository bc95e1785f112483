import { measureAdded } from './added-latency.ts';
import { measureEncryption } from './encryption.ts';
import { measureManyStreams } from './many-streams.ts';
import { measureMemory } from './memory.ts';
import { measurePublish } from './publish.ts';
import { type Section, showBounds } from './section.ts';
import { startPeers } from './start-peers.ts';
import { measureThroughput } from './throughput.ts';

export interface RunPathOptions {
  readonly streams: number;
}

/** What the run path costs beside a proxy that does nothing but pass bytes on, and beside other gateways. */
export async function measureRunPath(say: (text: string) => void, options: RunPathOptions): Promise<string> {
  const peers = await startPeers(say);
  try {
    const sections: Section[] = [];
    const add = async <Measured extends Section>(name: string, measure: () => Promise<Measured>) => {
      say(name);
      const section = await measure();
      sections.push(section);
      return section;
    };
    const { rates } = await add('throughput', () => measureThroughput(peers));
    await add('encryption', () => measureEncryption());
    await add('one after the other', () =>
      measureAdded(peers, { delay: 0, gap: 0, seconds: 1.5, connections: 1, others: [] }),
    );
    for (const rate of [100, 300]) {
      const others = peers.others.filter((peer) => (rates.get(peer) ?? 0) > 2 * rate);
      await add(`${rate} a second, upstream takes 50 ms`, () =>
        measureAdded(peers, { delay: 50, gap: 5, seconds: 2, connections: 32, rate, others }),
      );
    }
    await add(`${options.streams} streams at once`, () => measureManyStreams(peers, options.streams));
    await add('publish to effect', () => measurePublish(peers));
    const left = peers.leftOut.map((line) => `Left out: ${line}.`);
    return [...left, showBounds(sections.flatMap(({ bounds }) => bounds)), ...sections.map(({ text }) => text)].join(
      '\n\n',
    );
  } finally {
    await peers.stop();
  }
}

/** Memory of the process that serves, over many runs. */
export async function measureLongRun(say: (text: string) => void, runs: number): Promise<string> {
  const peers = await startPeers(say, { others: false });
  try {
    const { text, bounds } = await measureMemory(peers, runs, say);
    return [showBounds(bounds), text].join('\n\n');
  } finally {
    await peers.stop();
  }
}
