import { defineCommand } from '../command.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';

export const keyImport = defineCommand({
  name: 'key import',
  usage: '<file> [flags]',
  about:
    'Brings the key file back from what `damask key export` wrote. The recovery code is read from the standard input.',
  flags: { ...configFlag },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask key import damask-recovery.txt'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['key-import', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
