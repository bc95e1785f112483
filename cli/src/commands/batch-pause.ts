import { batchIdOf } from '../batch-id.ts';
import { describeProgress } from '../batch-progress.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const batchPause = defineCommand({
  name: 'batch pause',
  usage: '<id>|last [flags]',
  about: 'Begins no more runs of a batch; those under way end.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask batch pause last'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const batch = await damask.batches.pause({ batch: await batchIdOf(damask, positionals[0] ?? '') });
    if (flags.json) return terminal.print(JSON.stringify(batch, null, 2));
    terminal.note(`${batch.status}: ${describeProgress(batch)}`);
  },
});
