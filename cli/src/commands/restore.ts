import { defineCommand } from '../command.ts';
import { baseFlag, executableFlags, serverArguments } from '../server-arguments.ts';

export const restore = defineCommand({
  name: 'restore',
  usage: '[file | s3://bucket/key] [flags]',
  about:
    'Brings a backup back into an empty place: a new DAMASK_DATA_DIR, or an empty database at DAMASK_DATABASE_URL, also of\n' +
    'another PostgreSQL version. What was done after the backup is unknown then, so the server starts only when that is\n' +
    'acknowledged; `damask restore --acknowledge` alone does it later.',
  flags: {
    acknowledge: { type: 'boolean', help: 'Say that you know what is lost: the server may start.' },
    ...baseFlag,
    ...executableFlags,
  },
  positionals: [0, 1],
  completes: ['files'],
  examples: ['DAMASK_DATA_DIR=~/restored damask restore damask.backup', 'damask restore --acknowledge'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['restore', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
