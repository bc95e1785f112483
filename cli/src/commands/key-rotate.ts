import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { printEncryption } from '../encryption-facts.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';
import { UsageError } from '../usage-error.ts';

export const keyRotate = defineCommand({
  name: 'key rotate',
  usage: '[--wrapping [--to <source>]] [flags]',
  about:
    'Gives the workspace a new data key, and seals everything anew with it while the server goes on; for owners.\n' +
    '`damask key status` shows how far it is. With --wrapping, on the machine of the server: wraps the data keys of all\n' +
    'workspaces by a new key-encryption key, or by one from another source. Killed, either goes on when it is begun again.',
  flags: {
    wrapping: { type: 'boolean', help: 'Replaces what wraps the data keys of all workspaces.' },
    to: { type: 'string', value: '<source>', help: 'Where the new one is: file, environment, vault or aws.' },
    ...configFlag,
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask key rotate', 'damask key rotate --wrapping', 'damask key rotate --wrapping --to vault'],
  async run({ flags, config, terminal, connect }) {
    if (flags.wrapping) {
      const { runInForeground } = await import('../own-server.ts');
      const args = ['key-rotate', ...serverArguments({ config: flags.config, to: flags.to })];
      return runInForeground(config, args, terminal.isInteractive);
    }
    if (flags.to !== undefined)
      throw new UsageError('--to goes with --wrapping: damask key rotate --wrapping --to vault');
    const { damask } = await connect();
    const encryption = await damask.encryption.rotate();
    if (flags.json) await terminal.print(JSON.stringify(encryption, null, 2));
    else await printEncryption(terminal, encryption);
    return undefined;
  },
});
