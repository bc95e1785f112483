import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const holdsLift = defineCommand({
  name: 'holds lift',
  usage: '<hold> [flags]',
  about: 'Lifts a legal hold. What it held back is removed soon afterwards, where retention says so.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask holds lift case-4711'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const hold = await damask.holds.delete({ hold: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'hold', name, all: damask.holds.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(hold, null, 2));
    terminal.note(`The hold ${hold.name} is lifted.`);
  },
});
