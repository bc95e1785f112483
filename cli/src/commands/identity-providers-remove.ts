import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const identityProvidersRemove = defineCommand({
  name: 'identity-providers remove',
  usage: '<name> [flags]',
  about: 'Removes an identity provider. Nobody signs in by it any more, and its tokens are refused at once.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask identity-providers remove corp'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const removed = await damask.identityProviders.delete({ identity_provider: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, {
        what: 'identity-provider',
        name,
        all: damask.identityProviders.listAll(),
      });
    });
    if (flags.json) return terminal.print(JSON.stringify(removed, null, 2));
    terminal.note(`Nobody signs in by ${removed.name} any more.`);
  },
});
