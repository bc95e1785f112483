import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const serviceAccountsRemove = defineCommand({
  name: 'service-accounts remove',
  usage: '<name> [flags]',
  about: 'Deletes a service account and revokes its keys at once.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask service-accounts remove ci'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const account = await damask.serviceAccounts.delete({ service_account: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'service-account', name, all: damask.serviceAccounts.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(account, null, 2));
    terminal.note(`The service account ${account.name} is deleted, and its keys are revoked.`);
  },
});
