import { defineCommand } from '../command.ts';

export const serve = defineCommand({
  name: 'serve',
  usage: "[server's arguments...]",
  about:
    'Starts the server in the foreground until Ctrl-C; all arguments are handed on to it. Where the CLI is not in a\n' +
    'clone, DAMASK_SERVER names the server/src/main.ts of one.',
  flags: {},
  positionals: [0, Number.POSITIVE_INFINITY],
  raw: true,
  examples: ['damask serve', 'DAMASK_PORT=8080 damask serve'],
  async run({ positionals, config, terminal }) {
    const { runInForeground } = await import('../own-server.ts');
    return runInForeground(config, ['serve', ...positionals], terminal.isInteractive);
  },
});
