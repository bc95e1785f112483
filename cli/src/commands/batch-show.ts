import type { Batch } from '@damask/sdk';
import { batchIdOf } from '../batch-id.ts';
import { followBatch } from '../batch-progress.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatSum, formatTime } from '../figures.ts';
import { printable, type Terminal } from '../terminal.ts';
import { batchStyle } from './batches.ts';

export const batchShow = defineCommand({
  name: 'batch show',
  usage: '<id>|last [flags]',
  about: 'Shows how far a batch is, what it cost so far and when it will end.',
  flags: {
    follow: { type: 'boolean', short: 'f', help: 'Watch it until it has ended.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask batch show last', 'damask batch show last --follow'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const id = await batchIdOf(damask, positionals[0] ?? '');
    const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    const batch = flags.follow
      ? await followBatch(damask, terminal, id, sleep)
      : await damask.batches.read({ batch: id });
    await terminal.print(flags.json ? JSON.stringify(batch, null, 2) : describe(batch, terminal));
  },
});

function describe(batch: Batch, { paint }: Terminal): string {
  const { lines } = batch;
  const choice = [
    batch.environment,
    batch.label && `label ${batch.label}`,
    batch.strategy && `strategy ${batch.strategy}`,
  ];
  const counts = Object.entries(lines)
    .filter(([name, count]) => name !== 'total' && count > 0)
    .map(([name, count]) => `${count} ${name}`);
  const facts: [string, string][] = [
    ['Status', paint(batchStyle(batch.status), batch.status)],
    ['Reason', printable(batch.reason ?? '')],
    ['Pattern', `${batch.pattern}@${batch.version} (${choice.filter(Boolean).join(', ')})`.replace(' ()', '')],
    ['Model', batch.model ?? ''],
    ['Lines', `${lines.total}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`],
    ['Rate', batch.rate === null ? '' : `${batch.rate} lines a second`],
    ['Ends', batch.estimated_end === null ? '' : `about ${formatTime(batch.estimated_end)}`],
    ['Tokens', `${batch.usage.input_tokens} in, ${batch.usage.output_tokens} out`],
    [
      'Cost',
      `${formatSum(batch.cost_micros, batch.unpriced)}${batch.unpriced > 0 ? `, ${batch.unpriced} lines of unknown cost` : ''}`,
    ],
    ['Made', formatTime(batch.created_at)],
    ['Not before', batch.start_at === null ? '' : formatTime(batch.start_at)],
    ['Deadline', batch.deadline === null ? '' : formatTime(batch.deadline)],
    ['Ended', batch.finished_at === null ? '' : formatTime(batch.finished_at)],
  ];
  return [
    `${paint('bold', 'Batch')} ${batch.id}`,
    ...facts.filter(([, value]) => value !== '').map(([name, value]) => `${paint('dim', name.padEnd(10))}  ${value}`),
  ].join('\n');
}
