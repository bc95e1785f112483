import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const timersRm = defineCommand({
  name: 'timers rm',
  usage: '<timer> [flags]',
  about: 'Deletes a timer and the list of its ticks. Runs that it started stay.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['timers'],
  examples: ['damask timers rm morning_news'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const timer = await damask.timers.delete({ timer: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'timer', name, all: damask.timers.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(timer, null, 2));
    terminal.note(`The timer ${timer.name} is deleted.`);
  },
});
