import type { Command, Commands, Flag, Flags, Kind } from './command.ts';

/** What the shell should offer: these words, or the names that only the server knows, or files. */
export interface Completion {
  readonly words: readonly (readonly [word: string, about: string])[];
  readonly kind?: Kind;
}

const nothing: Completion = { words: [] };

/** What can stand in place of the last of `words`, the arguments of `damask` up to the cursor. */
export async function completeWords(words: readonly string[], commands: Commands): Promise<Completion> {
  const before = words.slice(0, -1);
  const partial = words.at(-1) ?? '';
  const [name, rest] = commandOf(before, commands);
  if (name === undefined) {
    if (before.length > 0 && before[0] !== 'help') return nothing;
    return partial.startsWith('-') ? flagsOf((await commands.run?.load()) as Command) : commandWords(before, commands);
  }
  const command = (await commands[name]?.load()) as Command;
  const flags = command.flags as Flags;
  const asked = flagAwaiting(flags, rest.at(-1));
  if (asked) return ofKind(asked.completes, commands);
  const [, long, short] = /^(?:--([a-z-]+)=|-([a-zA-Z])=)/.exec(partial) ?? [];
  if (long ?? short) return ofKind(flagAwaiting(flags, long ? `--${long}` : `-${short}`)?.completes, commands);
  if (partial.startsWith('-')) return flagsOf(command);
  const family = rest.length === 0 ? Object.keys(commands).filter((one) => one.startsWith(`${name} `)) : [];
  const second = family.map((one): [string, string] => [one.slice(name.length + 1), commands[one]?.summary ?? '']);
  const kinds = command.completes ?? [];
  const own = await ofKind(kinds[Math.min(countPositionals(flags, rest), kinds.length - 1)], commands);
  return { ...own, words: [...second, ...own.words] };
}

/** The longest name that the words begin with; flags alone are a run, as in Fabric. */
function commandOf(words: readonly string[], commands: Commands): [name: string | undefined, rest: readonly string[]] {
  const [first = '', second = ''] = words;
  if (first.startsWith('-')) return ['run', words];
  if (Object.hasOwn(commands, `${first} ${second}`)) return [`${first} ${second}`, words.slice(2)];
  return Object.hasOwn(commands, first) ? [first, words.slice(1)] : [undefined, words];
}

function commandWords(before: readonly string[], commands: Commands): Completion {
  const heads = new Map<string, string>(before.length === 0 ? [['help', 'Explain a command']] : []);
  for (const [name, { summary }] of Object.entries(commands)) {
    const head = name.split(' ')[0] as string;
    if (!heads.has(head)) heads.set(head, summary);
  }
  return { words: [...heads] };
}

function flagsOf(command: Command): Completion {
  const flags = Object.entries(command.flags).map(([name, { help }]): [string, string] => [`--${name}`, help]);
  return { words: [...flags, ['--help', 'Explain this command']] };
}

/** The flag that takes the next word as its value. */
function flagAwaiting(flags: Flags, word: string | undefined): Flag | undefined {
  if (word === undefined || !/^-/.test(word) || word.includes('=')) return undefined;
  const flag = word.startsWith('--')
    ? flags[word.slice(2)]
    : Object.values(flags).find(({ short }) => short !== undefined && short === word.at(-1));
  return flag?.type === 'string' ? flag : undefined;
}

function countPositionals(flags: Flags, words: readonly string[]): number {
  return words.filter((word, i) => !word.startsWith('-') && !flagAwaiting(flags, words[i - 1])).length;
}

async function ofKind(kind: Kind | undefined, commands: Commands): Promise<Completion> {
  if (kind === 'commands') return commandWords([], commands);
  if (kind === 'shells') return { words: ['bash', 'zsh', 'fish'].map((shell) => [shell, '']) };
  return kind === undefined ? nothing : { words: [], kind };
}
