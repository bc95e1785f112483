import { defineCommand } from '../command.ts';

export const checkConfig = defineCommand({
  name: 'check-config',
  usage: "[server's arguments...]",
  about:
    "Checks the server's settings, from the environment and its file, and prints what is in force with secrets\n" +
    'hidden. A setting that is unknown or wrong is named.',
  flags: {},
  positionals: [0, Number.POSITIVE_INFINITY],
  raw: true,
  examples: ['damask check-config', 'damask check-config --config ./damask.yaml'],
  async run({ positionals, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    return runInForeground(config, ['check-config', ...positionals], terminal.isInteractive);
  },
});
