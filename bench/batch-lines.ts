import { setTimeout as wait } from 'node:timers/promises';
import { table } from './figures.ts';
import type { Section } from './section.ts';
import type { Peers } from './start-peers.ts';

const lines = 100_000;
const lookEvery = 250;

interface Batch {
  readonly id: string;
  readonly status: string;
  readonly lines: { readonly total: number; readonly succeeded: number };
}

/** One batch of many lines: how fast it is taken, how fast it is run, and the memory of the process meanwhile. */
export async function measureBatch(peers: Peers): Promise<Section> {
  const { server, damask } = peers;
  await peers.upstream(0, 0);
  const line = (at: number) =>
    `${JSON.stringify({ input: `Line ${at}: the quick brown fox jumps over the lazy dog.` })}\n`;
  const body = Buffer.from(Array.from({ length: lines }, (_, at) => line(at)).join(''));
  const before = damask.residentMb();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, damask.residentMb());
  }, lookEvery);
  try {
    const begun = performance.now();
    const response = await fetch(`${server.url}/v1/batches?pattern=bench`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/jsonl' },
      body,
    });
    const accepted = (performance.now() - begun) / 1000;
    if (response.status !== 202) throw new Error(`the batch was answered ${response.status}: ${await response.text()}`);
    const batch = (await response.json()) as Batch;
    const taken = Math.max(most, damask.residentMb());
    const end = await untilEnd(peers, batch.id);
    const seconds = (performance.now() - begun) / 1000;
    const rate = lines / accepted;
    return {
      text: `### A batch of ${lines.toLocaleString('en-US')} lines, model answers at once\n\n${table(
        ['', ''],
        [
          ['lines accepted a second', rate],
          ['runs a second, from the upload to the last end', end.lines.succeeded / seconds],
          ['MB resident before', before],
          ['MB at most while it was accepted', taken],
          ['MB at most until it had ended', most],
        ],
      )}`,
      bounds: [
        {
          what: `lines of a batch of ${lines.toLocaleString('en-US')} accepted a second`,
          bound: '>= 5,000',
          measured: Math.round(rate).toLocaleString('en-US'),
          met: rate >= 5_000,
        },
        {
          what: 'MB of the process at most, batch accepted and run',
          bound: '< 300',
          measured: Math.round(most).toString(),
          met: most < 300,
        },
      ],
    };
  } finally {
    clearInterval(watch);
  }
}

async function untilEnd({ server }: Peers, id: string): Promise<Batch> {
  for (;;) {
    const batch = await server.call<Batch>('GET', `/v1/batches/${id}`);
    if (['finished', 'stopped', 'cancelled'].includes(batch.status)) {
      if (batch.lines.succeeded !== lines)
        throw new Error(`only ${batch.lines.succeeded} lines of the batch ended well`);
      return batch;
    }
    await wait(lookEvery);
  }
}
