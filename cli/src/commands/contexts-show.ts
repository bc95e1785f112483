import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const contextsShow = defineCommand({
  name: 'contexts show',
  usage: '<context> [flags]',
  about: 'Prints the text of a context, byte for byte.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['contexts'],
  examples: ['damask contexts show team', 'damask contexts show team > team.md'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const context = await damask.contexts.read({ context: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'context', name, all: damask.contexts.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(context, null, 2));
    await terminal.result(context.content);
  },
});
