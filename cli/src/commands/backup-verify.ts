import { defineCommand } from '../command.ts';
import { baseFlag, executableFlags, serverArguments } from '../server-arguments.ts';

export const backupVerify = defineCommand({
  name: 'backup verify',
  usage: '<file | s3://bucket/key> [flags]',
  about:
    'Reads a backup to its end, with the older ones it needs, and checks every part and the digest of every table. Needs\n' +
    'the key file and no database.',
  flags: { ...baseFlag, ...executableFlags },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask backup verify damask.backup'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['backup-verify', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
