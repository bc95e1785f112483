import { defineCommand } from '../command.ts';
import { executableFlags, serverArguments } from '../server-arguments.ts';

export const backup = defineCommand({
  name: 'backup',
  usage: '<file | s3://bucket/prefix> [flags]',
  about:
    'Writes the whole database as it is at one moment into one encrypted file, while the server runs or without it. A\n' +
    "folder, or a prefix that ends in /, gets a file named by the time. The backup opens with the server's key file\n" +
    'only, which is not in it: keep a copy of that file elsewhere (`damask key export`).',
  flags: {
    base: {
      type: 'string',
      value: '<backup>',
      completes: 'files',
      help: 'Leave out weeks of runs that are over and unchanged in this older backup. Both are needed then.',
    },
    ...executableFlags,
  },
  positionals: [1, 1],
  completes: ['files'],
  examples: [
    'damask backup damask.backup',
    'damask backup /backups/ --base /backups/damask-20261101T020000Z.backup',
    'damask backup s3://my-backups/damask/',
  ],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    return runInForeground(config, ['backup', ...serverArguments(flags), '--', ...positionals], terminal.isInteractive);
  },
});
