import { defineCommand } from '../command.ts';
import { configFlag, serverArguments } from '../server-arguments.ts';

export const keyReplace = defineCommand({
  name: 'key replace',
  usage: '--lost [flags]',
  about:
    'Goes on without a key file that is lost for good: makes a new one, and new keys for every workspace. Texts and\n' +
    'provider keys that were stored before can never be read again; everything else stays. Stop the server first.',
  flags: { lost: { type: 'boolean', help: 'Say that the old key is gone for good.' }, ...configFlag },
  positionals: [0, 0],
  examples: ['damask key replace --lost'],
  async run({ positionals, flags, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    const args = ['key-replace', ...serverArguments(flags), '--', ...positionals];
    return runInForeground(config, args, terminal.isInteractive);
  },
});
