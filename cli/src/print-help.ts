import { commandHelp, overallHelp } from './command-help.ts';
import { commands } from './commands.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Explains the command that the words name, or lists them all. Needs no server. */
export async function printHelp(words: readonly string[], terminal: Terminal): Promise<void> {
  if (words.length === 0 || words[0] === 'help') return terminal.print(overallHelp(commands, terminal));
  const name = words.join(' ');
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) throw new UsageError(`There is no command '${name}'. \`damask help\` lists the commands.`);
  await terminal.print(commandHelp(await entry.load(), commands, terminal));
}
