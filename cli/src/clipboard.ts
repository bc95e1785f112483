import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Config, environmentWith } from './config.ts';
import { InputError } from './input-error.ts';
import type { Terminal } from './terminal.ts';

export type CopyText = (text: string) => Promise<void>;

// Terminals cut or drop longer sequences; the limit that is known best is xterm's.
const longestSequence = 74_994;

/**
 * The way to the clipboard of this machine: its own program where there is one, else the terminal, also over ssh.
 * Throws InputError when there is neither, so that nothing is run in vain.
 */
export function openClipboard(terminal: Terminal, config: Config): CopyText {
  const program = findProgram(config);
  const canTell = terminal.stdoutIsTerminal || terminal.stderrIsTerminal;
  if (!program && !canTell) {
    throw new InputError(
      'There is no clipboard here: neither wl-copy, xclip, xsel, pbcopy or clip.exe, nor a terminal. Leave -c out, or use -o <file>.',
    );
  }
  return async (text) => {
    if (program) {
      const { feedProgram } = await import('./child-process.ts');
      if (await feedProgram(program, text, environmentWith({}))) return terminal.note(said(terminal, 'copied'));
    }
    const encoded = Buffer.from(text).toString('base64');
    if (!canTell || encoded.length > longestSequence) {
      const why = program ? `${program[0]} failed` : 'a terminal takes at most 56 kB';
      throw new InputError(`The answer was not copied: ${why}. It is kept: damask runs show last --output`);
    }
    // OSC 52: the terminal itself copies, where it allows that.
    await terminal.control(`\x1b]52;c;${encoded}\x07`);
    terminal.note(said(terminal, 'copied by the terminal, if it allows that'));
  };
}

const said = (terminal: Terminal, text: string) => terminal.paintNote('dim', text);

function findProgram({ display, waylandDisplay, path }: Config): readonly string[] | undefined {
  const candidates: readonly (readonly string[])[] = [
    ...(process.platform === 'darwin' ? [['pbcopy']] : []),
    ...(waylandDisplay ? [['wl-copy']] : []),
    ...(display
      ? [
          ['xclip', '-selection', 'clipboard'],
          ['xsel', '--clipboard', '--input'],
        ]
      : []),
    ['clip.exe'],
  ];
  return candidates.find(([name = '']) => isProgram(name, path));
}

/** Whether the folders of PATH hold a program of this name. */
function isProgram(name: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      if (folder === '') return false;
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
