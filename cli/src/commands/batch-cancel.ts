import { batchIdOf } from '../batch-id.ts';
import { describeProgress } from '../batch-progress.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const batchCancel = defineCommand({
  name: 'batch cancel',
  usage: '<id>|last [flags]',
  about: 'Stops a batch and the runs of it that are under way. What has ended keeps its results.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask batch cancel last'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const batch = await damask.batches.cancel({ batch: await batchIdOf(damask, positionals[0] ?? '') });
    if (flags.json) return terminal.print(JSON.stringify(batch, null, 2));
    terminal.note(`${batch.status}: ${describeProgress(batch)}`);
  },
});
