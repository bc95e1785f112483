import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatCount } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { UsageError } from '../usage-error.ts';

export const queue = defineCommand({
  name: 'queue',
  usage: '[flags]',
  about:
    'Shows how many runs of the workspace are queued, running and waiting for a person, and how many may be executed at\n' +
    'the same time, or changes how many.',
  flags: {
    concurrency: {
      type: 'string',
      value: '<count>',
      help: 'Executes at most so many queued runs at a time, or `any`.',
    },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask queue', 'damask queue --concurrency 20', 'damask queue --concurrency any'],
  async run({ flags, terminal, connect }) {
    const concurrency = flags.concurrency === 'any' ? null : numberFlag('concurrency', flags.concurrency, true);
    if (typeof concurrency === 'number' && concurrency < 1)
      throw new UsageError('--concurrency takes at least 1, or any.');
    const { damask } = await connect();
    const now = concurrency === undefined ? await damask.queue.read() : await damask.queue.put({ concurrency });
    if (flags.json) return terminal.print(JSON.stringify(now, null, 2));
    const facts = [
      ['Queued', `${formatCount(now.interactive)} interactive, ${formatCount(now.bulk)} bulk`],
      ['Running', formatCount(now.running)],
      ['Waiting', `${formatCount(now.waiting)} for a person`],
      ['At a time', now.concurrency === null ? 'as many as the platform allows' : formatCount(now.concurrency)],
    ] as const;
    await terminal.print(
      facts.map(([name, value]) => `${terminal.paint('dim', name.padEnd(10))}  ${value}`).join('\n'),
    );
  },
});
