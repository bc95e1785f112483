import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const contextsShow = defineCommand({
  name: 'contexts show',
  usage: '<context> [flags]',
  about: 'Prints the text of a context, byte for byte.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['contexts'],
  examples: ['damask contexts show team', 'damask contexts show team > team.md'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const context = await damask.contexts.read({ context: positionals[0] ?? '' });
    if (flags.json) return terminal.print(JSON.stringify(context, null, 2));
    await terminal.result(context.content);
  },
});
