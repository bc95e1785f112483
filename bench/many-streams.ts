import { show, table } from './figures.ts';
import { startProgram } from './programs.ts';
import type { Section } from './section.ts';
import type { Peers } from './start-peers.ts';
import type { StreamsAsked, StreamsResult } from './streams.ts';

/** So many streams at the same time in one process, each compared with what the upstream sent. */
export async function measureManyStreams(peers: Peers, count: number): Promise<Section> {
  // Long enough that all of them are under way at once: 20 chunks, half a second apart.
  await peers.upstream(1_000, 500);
  const [program] = await startProgram('streams');
  try {
    const { port, path, authorization, body } = peers.damask.request('stream');
    const asked: StreamsAsked = { port, path, authorization, body, count, expected: await expectedText(peers) };
    const before = peers.damask.residentMb();
    const result = await program.ask<StreamsResult>(asked);
    const whole = result.whole === count;
    return {
      text: [
        `### ${count.toLocaleString('en-US')} streams at the same time in one process`,
        table(
          ['', 'measured'],
          [
            ['streams whose text came whole and in order, with the end of the run', result.whole],
            ['streams that did not', count - result.whole],
            ['refused with 503 at first, and sent again', result.refused],
            ['most under way at once', result.most],
            ['memory before and after, MB', `${show(before)}, ${show(peers.damask.residentMb())}`],
          ],
        ),
      ].join('\n\n'),
      bounds: [
        {
          what: `${count.toLocaleString('en-US')} streams at once without losing a frame`,
          bound: 'all whole',
          measured: `${result.whole} whole, ${result.most} at once`,
          met: whole && result.most >= count * 0.99,
        },
      ],
    };
  } finally {
    await program.stop();
  }
}

/** What a stream must say is what a whole run of the same upstream says, streamed once by itself. */
async function expectedText({ upstreamPort }: Peers): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${upstreamPort}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ stream: true }),
  });
  const documents = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: { content: string } }[] });
  return documents.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
}
