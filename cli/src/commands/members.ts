import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const members = defineCommand({
  name: 'members',
  usage: '[flags]',
  about: 'Lists the people of the workspace. They come by signing in or by an invitation.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: [
    'damask members',
    'damask members invite ada@example.com --role author',
    'damask members set ada@example.com --role author',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.members.listAll()), {
      columns: [
        { title: 'MEMBER' },
        { title: 'NAME', least: 8 },
        { title: 'EMAIL', drop: 1 },
        { title: 'ROLE' },
        { title: 'TEAMS', drop: 0 },
      ],
      row: (member) => [
        member.id,
        member.disabled ? { text: `${member.name} (disabled)`, style: 'red' } : member.name,
        member.email ?? '',
        member.role,
        member.teams.join(', '),
      ],
      empty: 'There are no members yet. Invite somebody: damask members invite ada@example.com --role author',
    });
  },
});
