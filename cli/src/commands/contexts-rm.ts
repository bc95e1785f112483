import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const contextsRm = defineCommand({
  name: 'contexts rm',
  usage: '<name> [flags]',
  about: 'Deletes a context and its text. It cannot be brought back.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['contexts'],
  examples: ['damask contexts rm company'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const context = await damask.contexts.delete({ context: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'context', name, all: damask.contexts.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(context, null, 2));
    terminal.note(`The context ${context.name} is deleted.`);
  },
});
