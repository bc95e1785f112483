import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const serviceAccounts = defineCommand({
  name: 'service-accounts',
  usage: '[flags]',
  about: 'Lists service accounts: programs that act in their own name, with keys that end with them.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: [
    'damask service-accounts set ci --role runner',
    'damask keys create --name ci --role runner --service-account ci',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.serviceAccounts.listAll()), {
      columns: [{ title: 'NAME' }, { title: 'ROLE' }, { title: 'DESCRIPTION', least: 12 }],
      row: ({ name, role, description }) => [name, role, description],
      empty: 'There are none. Make one: damask service-accounts set ci --role runner',
    });
  },
});
