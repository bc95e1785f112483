import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { findMember } from '../find-member.ts';

export const teamsAdd = defineCommand({
  name: 'teams add',
  usage: '<team> <id or email> [flags]',
  about: 'Takes a member of the workspace into a team.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [2, 2],
  examples: ['damask teams add mail ada@example.com'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = '', who = ''] = positionals;
    const { damask } = await connect();
    const team = await damask.teams.addMember({ team: name, member: await findMember(damask, who) });
    if (flags.json) return terminal.print(JSON.stringify(team, null, 2));
    terminal.note(`The team ${team.name} has ${team.members} members.`);
  },
});
