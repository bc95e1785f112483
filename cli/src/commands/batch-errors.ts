import type { BatchLineError } from '@damask/sdk';
import { batchIdOf } from '../batch-id.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { numberFlag } from '../number-flag.ts';
import { printList } from '../print-list.ts';
import { shortRunId } from '../run-id.ts';
import { printable } from '../terminal.ts';

export const batchErrors = defineCommand({
  name: 'batch errors',
  usage: '<id>|last [flags]',
  about: 'Lists the lines of a batch that were rejected or whose runs failed, in input order.',
  flags: {
    limit: { type: 'string', short: 'n', value: '<number>', help: 'How many; 100 by default.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask batch errors last'],
  async run({ flags, positionals, terminal, connect }) {
    const limit = Math.max(1, numberFlag('limit', flags.limit, true) ?? 100);
    const { damask } = await connect();
    const batch = await batchIdOf(damask, positionals[0] ?? '');
    const found: BatchLineError[] = [];
    for await (const one of damask.batches.errorsAll({ batch, limit: Math.min(limit, 200) })) {
      if (found.push(one) >= limit) break;
    }
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'LINE', right: true },
        { title: 'COLUMN', right: true, drop: 2 },
        { title: 'WHAT', drop: 3 },
        { title: 'CODE' },
        { title: 'WHY', least: 20 },
        { title: 'RUN', drop: 1 },
      ],
      row: (one) => [
        String(one.line),
        one.column === null ? '-' : String(one.column),
        one.status,
        { text: one.code, style: 'red' },
        printable(one.detail),
        one.run === null ? '-' : shortRunId(one.run),
      ],
      empty: 'No line of this batch was rejected or failed.',
    });
  },
});
