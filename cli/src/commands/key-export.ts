import { defineCommand } from '../command.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';

export const keyExport = defineCommand({
  name: 'key export',
  usage: '<file> [flags]',
  about:
    'Writes a copy of the key file, sealed with a recovery code that is shown once. Without the key file neither stored\n' +
    'texts nor backups can be read. Keep file and code apart, and both away from the backups.',
  flags: { ...configFlag },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask key export damask-recovery.txt'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['key-export', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
