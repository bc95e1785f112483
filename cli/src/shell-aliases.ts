import { readdirSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { Shell } from './completion-scripts.ts';

export interface Alias {
  /** What the person types. */
  readonly name: string;
  readonly pattern: string;
}

/** Why a pattern gets no alias. */
export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}

// Words that shells themselves know; a function of such a name breaks scripts in ways that are hard to see.
const shellWords =
  'alias and argparse autoload begin bg bind bindkey break breaksw builtin caller case cd chdir command commandline complete compgen compopt contains continue coproc count declare dirs disown do done echo elif else emulate enable end esac eval exec exit export false fc fg fi for foreach function functions getopts hash help hist history if in integer jobs kill let limit local logout mapfile math nocorrect noglob not or popd print printf pushd pwd read readarray readonly rehash repeat return select set setopt shift shopt source status string suspend switch test then time times trap true type typeset ulimit umask unalias unfunction unlimit unset unsetopt until wait whence where which while zmodload';

/** A short command for each pattern, none of which hides another command unless `force` says so. */
export function planAliases(
  patterns: readonly string[],
  { prefix, force, path }: { readonly prefix: string; readonly force: boolean; readonly path: string },
): { readonly aliases: readonly Alias[]; readonly leftOut: readonly LeftOut[] } {
  const taken = new Map(shellWords.split(' ').map((word) => [word, 'the shell has a command of this name']));
  for (const name of programsOf(path)) taken.set(name, 'there is a program of this name');
  taken.set('damask', 'it is this command');
  const aliases: Alias[] = [];
  const leftOut: LeftOut[] = [];
  for (const pattern of patterns) {
    const name = `${prefix}${pattern}`;
    const reason = taken.get(name);
    // The names come from a server and go into a file that a shell runs.
    if (!/^[a-z0-9][a-z0-9_-]{0,99}$/.test(pattern)) leftOut.push({ name, reason: 'it is no name for a command' });
    else if (reason && (!force || shellWords.split(' ').includes(name) || name === 'damask'))
      leftOut.push({ name, reason });
    else aliases.push({ name, pattern });
  }
  return { aliases, leftOut };
}

/** The text of the file that a shell reads. */
export function aliasFile(shell: Shell, aliases: readonly Alias[]): string {
  const head =
    '# Written by `damask alias --install`; it is written anew each time. `damask alias --uninstall` removes it.\n';
  const lines = aliases.map(({ name, pattern }) =>
    shell === 'fish'
      ? `function ${name} --wraps 'damask run ${pattern}'; command damask run ${pattern} $argv; end\n`
      : // `function`, because a shell would put an alias of that name in place of the name in `name() {`.
        `unalias ${name} 2>/dev/null; function ${name} { command damask run ${pattern} "$@"; }\n`,
  );
  return head + lines.join('');
}

const begin = '# >>> damask aliases >>>';
const end = '# <<< damask aliases <<<';

/** A shell's start file with our block, which is put in once and replaced where it is; without a line it is taken out. */
export function withBlock(text: string, line: string | undefined): string {
  const block = line === undefined ? '' : `${begin}\n${line}\n${end}\n`;
  const from = text.indexOf(begin);
  const to = from < 0 ? -1 : text.indexOf(end, from);
  if (to < 0) return line === undefined ? text : `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${block}`;
  const rest = text.slice(to + end.length).replace(/^\n/, '');
  return text.slice(0, from) + block + rest;
}

function programsOf(path: string): Set<string> {
  const names = new Set<string>();
  for (const folder of new Set(path.split(delimiter))) {
    try {
      if (folder !== '') for (const name of readdirSync(folder)) names.add(name);
    } catch {
      // A folder of PATH that is not there.
    }
  }
  return names;
}
