import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printEncryption } from '../encryption-facts.ts';

export const keyStatus = defineCommand({
  name: 'key status',
  usage: '[flags]',
  about:
    'Shows what wraps the data key of the workspace, its versions, when a new one is due, and how far a rotation is.\n' +
    'For owners.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask key status'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const encryption = await damask.encryption.read();
    if (flags.json) return terminal.print(JSON.stringify(encryption, null, 2));
    await printEncryption(terminal, encryption);
  },
});
