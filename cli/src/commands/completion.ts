import { basename } from 'node:path';
import { defineCommand } from '../command.ts';
import { completeWords } from '../complete-words.ts';
import { completionScripts, shells } from '../completion-scripts.ts';
import { printable } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export const completion = defineCommand({
  name: 'completion',
  usage: '[bash|zsh|fish]',
  about:
    "Prints what your shell has to read so that the Tab key knows damask's commands, flags, patterns, models, strategies,\n" +
    'contexts and sessions. Names come from the server, are kept for half a minute, and never make anybody wait long:\n' +
    'with no server running the last ones known are offered.',
  flags: {
    words: { type: 'boolean', help: 'For the shell: print what may stand in place of the last of these words.' },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: ['shells'],
  examples: [
    'eval "$(damask completion bash)"                                      # in ~/.bashrc',
    'eval "$(damask completion zsh)"                                       # in ~/.zshrc, after compinit',
    'damask completion fish > ~/.config/fish/completions/damask.fish',
  ],
  async run({ flags, positionals, config, terminal, commands }) {
    if (flags.words) {
      const { words, kind } = await completeWords(positionals, commands);
      if (kind === 'files') return terminal.result(':files\n');
      const names = kind === undefined ? [] : await (await import('../known-names.ts')).knownNames(config, kind);
      const prefix = /^(?:--[a-z-]+=|-[a-zA-Z]=)/.exec(positionals.at(-1) ?? '')?.[0] ?? '';
      // What the shell puts on its line, it also reads: a name that would mean more there is left out.
      const safe = names.filter(([name]) => /^[\p{L}\p{N}_][\p{L}\p{N}._:/@+-]*$/u.test(name));
      const lines = [...words, ...safe].map(([name, about]) => `${prefix}${name}\t${oneLine(about)}\n`);
      return terminal.result(lines.join(''));
    }
    const wanted = positionals[0] ?? basename(config.shell);
    const shell = shells.find((one) => one === wanted);
    if (!shell)
      throw new UsageError(`There is no completion for ${wanted}. Write: damask completion ${shells.join('|')}`);
    await terminal.result(completionScripts[shell]);
  },
});

function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim().slice(0, 100);
}
