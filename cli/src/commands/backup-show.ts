import { defineCommand } from '../command.ts';
import { executableFlags, serverArguments } from '../server-arguments.ts';

export const backupShow = defineCommand({
  name: 'backup show',
  usage: '<file | s3://bucket/key> [flags]',
  about: 'Says what a backup holds: its moment, its tables and rows, the key it opens with, the older backup it needs.',
  flags: { ...executableFlags },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask backup show damask.backup'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['backup-show', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
