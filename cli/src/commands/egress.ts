import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const egress = defineCommand({
  name: 'egress',
  usage: '[flags]',
  about:
    'Shows what the server may call beyond the public internet, for each kind of address that people enter. The operator\n' +
    'sets it with DAMASK_EGRESS_ALLOW and its sisters.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask egress', 'damask egress check http://127.0.0.1:11434 --surface provider'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const { surfaces } = await damask.egress.read();
    await printList(terminal, flags.json, surfaces, {
      columns: [{ title: 'SURFACE', least: 17 }, { title: 'ALLOWED BEYOND THE PUBLIC INTERNET' }],
      row: ({ surface, allow }) => [{ text: surface, style: 'cyan' }, allow.length === 0 ? '-' : allow.join(', ')],
      empty: 'There is no surface.',
    });
  },
});
