import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

export const subjectErasures = defineCommand({
  name: 'subject erasures',
  usage: '[flags]',
  about: 'Lists erasures, newest first. None names its subject.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask subject erasures'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.subjects.erasuresAll()), {
      columns: [
        { title: 'ERASURE' },
        { title: 'STATE' },
        { title: 'RUNS', right: true },
        { title: 'BEGUN' },
        { title: 'ENDED', drop: 1 },
      ],
      row: (one) => [
        one.id,
        { text: one.state, style: one.state === 'done' ? 'green' : 'yellow' },
        String(one.removed.runs),
        formatTime(one.started_at),
        one.finished_at === null ? '-' : formatTime(one.finished_at),
      ],
      empty: 'Nobody was erased.',
    });
  },
});
