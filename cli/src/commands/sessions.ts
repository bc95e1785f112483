import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatBytes, formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const sessions = defineCommand({
  name: 'sessions',
  usage: '[flags]',
  about: 'Lists the sessions: conversations that `damask run --session <name>` begins and goes on with.',
  flags: { names: { type: 'boolean', help: 'Names only, one on a line.' }, ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask sessions', 'damask run explain_code --session review < main.c', 'damask sessions show review'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await collectItems(damask.sessions.listAll());
    if (flags.names) return terminal.result(found.map(({ name }) => `${name}\n`).join(''));
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'SESSION', least: 12 },
        { title: 'TURNS', right: true },
        { title: 'SIZE', right: true, drop: 1 },
        { title: 'LAST', drop: 0 },
      ],
      row: ({ name, turns, bytes, updated_at }) => [
        { text: name, style: 'cyan' },
        String(turns),
        formatBytes(bytes),
        formatTime(updated_at),
      ],
      empty: 'There are no sessions. Begin one: damask run explain_code --session review < main.c',
    });
  },
});
