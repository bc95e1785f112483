import { batchIdOf } from '../batch-id.ts';
import { describeProgress } from '../batch-progress.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const batchResume = defineCommand({
  name: 'batch resume',
  usage: '<id>|last [flags]',
  about: 'Goes on with a batch that is paused, by whomever.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask batch resume last'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const batch = await damask.batches.resume({ batch: await batchIdOf(damask, positionals[0] ?? '') });
    if (flags.json) return terminal.print(JSON.stringify(batch, null, 2));
    terminal.note(`${batch.status}: ${describeProgress(batch)}`);
  },
});
