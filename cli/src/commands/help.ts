import { defineCommand } from '../command.ts';
import { commandHelp, overallHelp } from '../command-help.ts';
import { commands } from '../commands.ts';
import { UsageError } from '../usage-error.ts';

export const help = defineCommand({
  name: 'help',
  usage: '[command]',
  about: 'Explains a command, with its flags and examples. Needs no server.',
  flags: {},
  positionals: [0, 2],
  examples: ['damask help', 'damask help run', 'damask help runs show'],
  async run({ positionals, terminal }) {
    if (positionals.length === 0) return terminal.print(overallHelp(terminal));
    const name = positionals.join(' ');
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!entry) throw new UsageError(`There is no command '${name}'. \`damask help\` lists the commands.`);
    await terminal.print(await commandHelp(await entry.load(), terminal));
  },
});
