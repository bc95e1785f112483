import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { runIdOf } from '../run-id.ts';

export const runsCancel = defineCommand({
  name: 'runs cancel',
  usage: '<id>|last [flags]',
  about: 'Stops a run and its call to the model.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask runs cancel last'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const run = await damask.runs.cancel({ run: await runIdOf(damask, positionals[0] ?? '') });
    if (flags.json) return terminal.print(JSON.stringify(run, null, 2));
    terminal.note(`Run ${run.id} is ${run.status === 'cancelled' ? 'cancelled' : 'being cancelled'}.`);
  },
});
