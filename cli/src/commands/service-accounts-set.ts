import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { isRole, roleNames } from '../role-names.ts';
import { UsageError } from '../usage-error.ts';

export const serviceAccountsSet = defineCommand({
  name: 'service-accounts set',
  usage: '<name> --role <role> [flags]',
  about: 'Makes a service account, or gives it another role. Its keys never hold more than it does.',
  flags: {
    role: { type: 'string', value: '<role>', help: `One of ${roleNames}, but not owner.` },
    description: { type: 'string', value: '<text>', help: 'What it is for.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask service-accounts set ci --role runner'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { role, description } = flags;
    if (!isRole(role)) throw new UsageError(`Say which role: --role takes one of ${roleNames}, but not owner.`);
    const { damask } = await connect();
    const account = await damask.serviceAccounts.put({ service_account: name, role, description });
    if (flags.json) return terminal.print(JSON.stringify(account, null, 2));
    terminal.note(`The service account ${account.name} has the role ${account.role}.`);
  },
});
