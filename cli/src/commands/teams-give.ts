import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';
import { UsageError } from '../usage-error.ts';

export const teamsGive = defineCommand({
  name: 'teams give',
  usage: '<pattern> <team> [flags]',
  about: 'Lets a team own a pattern: only its members and admins change it from then on. --nobody takes it away again.',
  flags: {
    nobody: { type: 'boolean', help: 'Everybody with the permission may change it again.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 2],
  completes: ['patterns'],
  examples: ['damask teams give write_mail mail', 'damask teams give write_mail --nobody'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = '', team] = positionals;
    if ((team === undefined) !== (flags.nobody === true)) throw new UsageError('Name a team, or say --nobody.');
    const { damask } = await connect();
    const pattern = await damask.patterns
      .setTeam({ pattern: name, team: team ?? null })
      .catch(async (error: unknown) => {
        throw await explainMissingName(error, { what: 'pattern', name, all: damask.patterns.listAll() });
      });
    if (flags.json) return terminal.print(JSON.stringify(pattern, null, 2));
    terminal.note(
      pattern.team === null ? `Nobody owns ${pattern.name}.` : `The team ${pattern.team} owns ${pattern.name}.`,
    );
  },
});
