import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const roles = defineCommand({
  name: 'roles',
  usage: '[flags]',
  about: 'Lists roles with what they hold: those of the platform, then those of the workspace.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask roles', 'damask roles set reviewer --permission run:read --permission run:decide'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.roles.listAll()), {
      columns: [{ title: 'ROLE' }, { title: 'HOLDS', least: 20 }],
      row: ({ role, permissions }) => [role, permissions.join(', ')],
      empty: 'There are no roles.',
    });
  },
});
