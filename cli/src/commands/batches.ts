import type { Batch } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatSum, formatTime } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { printList } from '../print-list.ts';
import { shortRunId } from '../run-id.ts';
import type { Style } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const statuses = ['queued', 'running', 'paused', 'cancelling', 'finished', 'stopped', 'cancelled'] as const;

export const batches = defineCommand({
  name: 'batches',
  usage: '[flags]',
  about:
    'Lists batches, newest first. A terminal shows the end of each id, which `batch show` and the others take too.',
  flags: {
    limit: { type: 'string', short: 'n', value: '<number>', help: 'How many; 20 by default.' },
    pattern: {
      type: 'string',
      short: 'p',
      value: '<pattern>',
      completes: 'patterns',
      help: 'Only batches of this pattern.',
    },
    status: { type: 'string', value: '<status>', help: `Only batches that are ${statuses.join(', ')}.` },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask batches', 'damask batches --status paused'],
  async run({ flags, terminal, connect }) {
    const limit = numberFlag('limit', flags.limit, true) ?? 20;
    if (limit < 1) throw new UsageError('--limit takes a number from 1 on.');
    const status = statuses.find((one) => one === flags.status);
    if (flags.status !== undefined && !status) throw new UsageError(`--status takes one of ${statuses.join(', ')}.`);
    const { damask } = await connect();
    const found: Batch[] = [];
    const filter = { limit: Math.min(limit, 200), status, pattern: flags.pattern };
    for await (const one of damask.batches.listAll(filter)) if (found.push(one) >= limit) break;
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'BATCH' },
        { title: 'WHEN', drop: 1 },
        { title: 'PATTERN', least: 10 },
        { title: 'STATUS' },
        { title: 'LINES', right: true },
        { title: 'DONE', right: true },
        { title: 'FAILED', right: true, drop: 2 },
        { title: 'COST', right: true, drop: 3 },
      ],
      row: ({ lines, ...one }) => [
        terminal.width === undefined ? one.id : shortRunId(one.id),
        formatTime(one.created_at),
        { text: `${one.pattern}@${one.version}`, style: 'cyan' },
        { text: one.status, style: batchStyle(one.status) },
        String(lines.total),
        String(lines.succeeded + lines.failed + lines.cancelled + lines.rejected),
        String(lines.failed + lines.rejected),
        formatSum(one.cost_micros, one.unpriced),
      ],
      empty: 'There are no such batches. Make one: damask batch summarize inputs.csv',
    });
  },
});

export function batchStyle(status: Batch['status']): Style {
  if (status === 'finished') return 'green';
  return status === 'stopped' || status === 'cancelled' ? 'red' : 'yellow';
}
