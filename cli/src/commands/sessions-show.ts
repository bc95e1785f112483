import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';
import { printable } from '../terminal.ts';
import { endLine } from '../write-output.ts';

export const sessionsShow = defineCommand({
  name: 'sessions show',
  usage: '<session> [flags]',
  about: 'Prints the turns of a conversation, oldest first.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['sessions'],
  examples: ['damask sessions show review', 'damask sessions show review --json'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const turns = await collectItems(damask.sessions.listAllTurns({ session: name })).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'session', name, all: damask.sessions.listAll() });
    });
    if (flags.json) return terminal.print(JSON.stringify(turns, null, 2));
    for (const { role, content, attachments } of turns) {
      const files = attachments.length > 0 ? ` (${attachments.map(({ name }) => name).join(', ')})` : '';
      await terminal.print(terminal.paint('bold', `--- ${role}${printable(files)}`));
      await terminal.result(endLine(content));
    }
  },
});
