import { defineCommand } from '../command.ts';
import { baseFlag, executableFlags, serverArguments } from '../server-arguments.ts';

export const backupDrill = defineCommand({
  name: 'backup drill',
  usage: '<file | s3://bucket/key> [flags]',
  about:
    'Brings a backup back into a database of its own that is thrown away afterwards, compares all rows with those of the\n' +
    'backup, and writes down how long it took: one line of backup-reports.jsonl in the data folder. The server may run.',
  flags: { ...baseFlag, ...executableFlags },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask backup drill damask.backup'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['backup-drill', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
