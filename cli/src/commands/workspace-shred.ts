import { defineCommand } from '../command.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';
import { UsageError } from '../usage-error.ts';

export const workspaceShred = defineCommand({
  name: 'workspace shred',
  usage: '<id> --confirm <name> [flags]',
  about:
    'Destroys the data keys of a workspace, on the machine of the server: what was sealed with them (inputs, outputs,\n' +
    'sessions, contexts, keys of providers) can never be read again. There is no way back. Backups from before still hold\n' +
    'the wrapped keys; the guide to encryption says what becomes of those.',
  flags: {
    confirm: { type: 'string', value: '<name>', help: 'Name of the workspace, to say that you mean it.' },
    ...configFlag,
  },
  positionals: [1, 1],
  examples: ['damask workspace shred 0199a000-0000-7000-8000-000000000001 --confirm acme'],
  async run({ positionals, flags, config, terminal }) {
    if (!flags.confirm) {
      throw new UsageError('This cannot be undone. Say which workspace you mean: --confirm <its name>');
    }
    const { runInForeground } = await import('../own-server.ts');
    const args = ['workspace-shred', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
