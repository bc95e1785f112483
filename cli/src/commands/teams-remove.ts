import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const teamsRemove = defineCommand({
  name: 'teams remove',
  usage: '<team> [flags]',
  about: 'Deletes a team. Its patterns stay; only who holds team:write may change them until another team owns them.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask teams remove mail'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const team = await damask.teams.delete({ team: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'team', name, all: damask.teams.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(team, null, 2));
    terminal.note(`The team ${team.name} is deleted.`);
  },
});
