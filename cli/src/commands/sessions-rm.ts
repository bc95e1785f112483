import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';

export const sessionsRm = defineCommand({
  name: 'sessions rm',
  usage: '<name> [flags]',
  about: 'Deletes a session with everything that was said in it. The runs that made it stay.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['sessions'],
  examples: ['damask sessions rm trip'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const session = await damask.sessions.delete({ session: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'session', name, all: damask.sessions.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(session, null, 2));
    terminal.note(`The session ${session.name} is deleted.`);
  },
});
