import { defineCommand } from '../command.ts';

export const ownerKey = defineCommand({
  name: 'owner-key',
  usage: "[server's arguments...]",
  about:
    'Makes a new owner key for the installation on this machine, when the first one is lost, and keeps it in\n' +
    'credentials.json. Stop the server first.',
  flags: {},
  positionals: [0, Number.POSITIVE_INFINITY],
  raw: true,
  examples: ['damask owner-key'],
  async run({ positionals, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    return runInForeground(config, ['owner-key', ...positionals], terminal.isInteractive);
  },
});
