import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const teamsSet = defineCommand({
  name: 'teams set',
  usage: '<team> [flags]',
  about: 'Makes a team, or describes it anew.',
  flags: { description: { type: 'string', value: '<text>', help: 'What it is for.' }, ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask teams set mail --description "Everything that is sent"'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const team = await damask.teams.put({ team: name, description: flags.description });
    if (flags.json) return terminal.print(JSON.stringify(team, null, 2));
    terminal.note(`The team ${team.name} has ${team.members} members.`);
  },
});
