import { defineCommand } from '../command.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';

export const auditRotateKey = defineCommand({
  name: 'audit rotate-key',
  usage: '[flags]',
  about:
    'Makes a new key that signs the checkpoints of the audit log from now on, on the machine of the server. The server\n' +
    'may run. Of the old key only the public half stays, with the time until which it was valid.',
  flags: { ...configFlag },
  positionals: [0, 0],
  examples: ['damask audit rotate-key'],
  async run({ flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    return runInForeground(config, ['audit-rotate-key', ...serverArguments(flags)], terminal.isInteractive);
  },
});
