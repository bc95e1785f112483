import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { findMember } from '../find-member.ts';

export const teamsDrop = defineCommand({
  name: 'teams drop',
  usage: '<team> <id or email> [flags]',
  about: 'Takes a member out of a team.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [2, 2],
  examples: ['damask teams drop mail ada@example.com'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = '', who = ''] = positionals;
    const { damask } = await connect();
    const team = await damask.teams.removeMember({ team: name, member: await findMember(damask, who) });
    if (flags.json) return terminal.print(JSON.stringify(team, null, 2));
    terminal.note(`The team ${team.name} has ${team.members} members.`);
  },
});
