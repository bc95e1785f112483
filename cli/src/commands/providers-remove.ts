import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingProvider } from '../explain-missing-provider.ts';

export const providersRemove = defineCommand({
  name: 'providers remove',
  usage: '<name> [flags]',
  about: 'Removes a provider of the workspace and its key. Those of the environment go with their variables.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask providers remove lab'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const [name = ''] = positionals;
    const provider = await damask.providers.delete({ provider: name }).catch(async (error: unknown) => {
      throw await explainMissingProvider(damask, name, error);
    });
    if (flags.json) return terminal.print(JSON.stringify(provider, null, 2));
    terminal.note(`Provider ${provider.name} and its key are removed.`);
  },
});
