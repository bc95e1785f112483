import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { collectItems } from '../collect-items.ts';
import { defineCommand, type Invocation, jsonFlag, serverFlags } from '../command.ts';
import { type Shell, shells } from '../completion-scripts.ts';
import type { Config } from '../config.ts';
import { formatNumber } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { makeFolder } from '../make-folder.ts';
import { printList } from '../print-list.ts';
import { aliasFile, planAliases, withBlock } from '../shell-aliases.ts';
import { UsageError } from '../usage-error.ts';

const flags = {
  install: { type: 'boolean', help: 'Write the file of commands for your shell.' },
  uninstall: { type: 'boolean', help: 'Remove it, and the lines of --rc.' },
  shell: {
    type: 'string',
    value: '<shell>',
    completes: 'shells',
    help: 'bash, zsh or fish; that of $SHELL by default.',
  },
  prefix: { type: 'string', value: '<text>', help: 'What each command begins with, such as d_.' },
  rc: { type: 'boolean', help: "Also let the shell's start file read it, in a block of its own." },
  force: { type: 'boolean', help: 'Also take names that programs on this machine have.' },
  ...jsonFlag,
  ...serverFlags,
} as const;

export const alias = defineCommand({
  name: 'alias',
  usage: '[flags]',
  about:
    'Makes a shell command of each pattern, so that `cat mail.txt | summarize` does the work of `damask run summarize`.\n' +
    'Alone it only lists them. A command that is there already is never hidden, unless --force says so. Run it again\n' +
    'when patterns have come or gone.',
  flags,
  positionals: [0, 0],
  examples: [
    'damask alias',
    'damask alias --install --rc',
    'damask alias --install --shell zsh --prefix d_',
    'damask alias --uninstall',
  ],
  async run(invocation) {
    const { flags, config, terminal, connect } = invocation;
    if (flags.install && flags.uninstall) throw new UsageError('Choose one of --install and --uninstall.');
    const shell = shellOf(invocation);
    if (flags.uninstall) return uninstall(invocation);
    const prefix = flags.prefix ?? '';
    if (!/^[a-zA-Z0-9_-]*$/.test(prefix) || prefix.startsWith('-')) {
      throw new UsageError('--prefix takes letters, digits, _ and -, such as d_.');
    }
    const { damask } = await connect();
    const names = (await collectItems(damask.patterns.listAll())).map(({ name }) => name);
    const plan = planAliases(names, { prefix, force: flags.force === true, path: config.path });
    for (const { name, reason } of plan.leftOut) terminal.note(`left out ${name}: ${reason}`);
    if (!flags.install) {
      return printList(terminal, flags.json, plan.aliases, {
        columns: [{ title: 'COMMAND' }, { title: 'DOES', least: 16 }],
        row: ({ name, pattern }) => [{ text: name, style: 'cyan' }, `damask run ${pattern}`],
        empty: 'There are no patterns to make commands of. `damask import <folder>` brings some in.',
      });
    }
    const file = fileOf(config, shell);
    write(file, aliasFile(shell, plan.aliases));
    const line = `. ${quote(file)}`;
    await terminal.print(file);
    terminal.note(formatNumber(plan.aliases.length, 'command'));
    if (!flags.rc) return terminal.note(`Use them now, and in ${rcOf(config, shell)} for every shell: ${line}`);
    const rc = rcOf(config, shell);
    write(rc, withBlock(read(rc), `test -f ${quote(file)} && ${line}`));
    terminal.note(`${rc} reads it from now on. For this shell: ${line}`);
  },
});

type AliasInvocation = Invocation<typeof flags>;

function shellOf({ flags, config }: AliasInvocation): Shell {
  const wanted = flags.shell ?? basename(config.shell);
  const shell = shells.find((one) => one === wanted);
  if (shell) return shell;
  throw new UsageError(`There are no aliases for ${wanted}. Name your shell: damask alias --shell ${shells.join('|')}`);
}

function uninstall({ flags, config, terminal }: AliasInvocation): void {
  let found = false;
  for (const shell of flags.shell === undefined ? shells : [flags.shell as Shell]) {
    const file = fileOf(config, shell);
    if (existsSync(file)) {
      rmSync(file);
      terminal.note(`removed ${file}`);
      found = true;
    }
    const rc = rcOf(config, shell);
    const text = read(rc);
    const without = withBlock(text, undefined);
    if (without === text) continue;
    write(rc, without);
    terminal.note(`took the lines out of ${rc}`);
    found = true;
  }
  terminal.note(found ? 'Shells that are open keep the commands until they end.' : 'There were no aliases.');
}

const fileOf = ({ configDir }: Config, shell: Shell) => join(configDir, `aliases.${shell}`);

function rcOf({ home, configDir }: Config, shell: Shell): string {
  if (shell === 'fish') return join(dirname(configDir), 'fish', 'config.fish');
  return join(home, `.${shell}rc`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unusable(path, error);
  }
}

function write(path: string, text: string): void {
  try {
    makeFolder(dirname(path));
    writeFileSync(path, text);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): InputError {
  return new InputError(`${path} cannot be used (${(error as NodeJS.ErrnoException).code}). Make it writable for you.`);
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
