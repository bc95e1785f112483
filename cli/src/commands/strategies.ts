import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const strategies = defineCommand({
  name: 'strategies',
  usage: '[flags]',
  about: 'Lists the strategies that `damask run --strategy` takes.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask strategies'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.strategies.listAll()), {
      columns: [{ title: 'STRATEGY' }, { title: 'DESCRIPTION', least: 16 }],
      row: ({ name, description }) => [{ text: name, style: 'cyan' }, description],
      empty: 'There are no strategies yet. `damask import <folder>` brings them in from a Fabric tree.',
    });
  },
});
