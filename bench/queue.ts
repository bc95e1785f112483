import { measureBatch } from './batch-lines.ts';
import { measureChain } from './chain-steps.ts';
import { measureQueueRate } from './queue-rate.ts';
import { type Section, showBounds } from './section.ts';
import { type Peers, startPeers } from './start-peers.ts';

/** What queued runs cost beside a queue that is used the plain way, and beside nothing but the rows that they leave. */
export async function measureQueue(say: (text: string) => void): Promise<string> {
  const parts: readonly [string, (peers: Peers) => Promise<Section>][] = [
    ['a batch of many lines', measureBatch],
    ['asynchronous runs', measureQueueRate],
    ['a chain', measureChain],
  ];
  const sections: Section[] = [];
  // Each on a server of its own: what one leaves in memory is not the next one's.
  for (const [name, measure] of parts) {
    say(name);
    const peers = await startPeers(say, { others: false });
    try {
      sections.push(await measure(peers));
    } finally {
      await peers.stop();
    }
  }
  return [showBounds(sections.flatMap(({ bounds }) => bounds)), ...sections.map(({ text }) => text)].join('\n\n');
}
