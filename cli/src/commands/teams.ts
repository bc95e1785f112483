import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const teams = defineCommand({
  name: 'teams',
  usage: '[<team>] [flags]',
  about: 'Lists teams, or the members of one. A team can own patterns, which then only its members and admins change.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 1],
  examples: ['damask teams', 'damask teams mail'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const [team] = positionals;
    if (team !== undefined) {
      return printList(terminal, flags.json, await collectItems(damask.teams.listAllMembers({ team })), {
        columns: [{ title: 'MEMBER' }, { title: 'NAME', least: 8 }],
        row: ({ id, name }) => [id, name],
        empty: `Nobody is in the team ${team}. Take somebody in: damask teams add ${team} <id or email>`,
      });
    }
    await printList(terminal, flags.json, await collectItems(damask.teams.listAll()), {
      columns: [{ title: 'TEAM' }, { title: 'MEMBERS' }, { title: 'DESCRIPTION', least: 12 }],
      row: ({ name, members, description }) => [name, String(members), description],
      empty: 'There are no teams. Make one: damask teams set mail',
    });
  },
});
