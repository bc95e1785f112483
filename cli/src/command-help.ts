import type { Command, Commands } from './command.ts';
import type { Terminal } from './terminal.ts';

type Paint = Pick<Terminal, 'paint'>;

/** The help of one command. */
export function commandHelp(command: Command, commands: Commands, { paint }: Paint): string {
  const sections = [
    `${paint('bold', `damask ${command.name}`)} ${command.usage}`.trimEnd(),
    command.about,
    ...list(paint('bold', 'Flags'), flagLines(command)),
    ...list(paint('bold', 'Also'), siblings(command.name, commands)),
    ...list(
      paint('bold', 'Examples'),
      command.examples.map((example) => [example, '']),
    ),
  ];
  return sections.join('\n\n');
}

/** The help of all of them. */
export function overallHelp(commands: Commands, { paint }: Paint): string {
  const entries = Object.entries(commands).map(([name, { summary }]): [string, string] => [name, summary]);
  entries.push(['help', 'Explain a command']);
  return [
    `${paint('bold', 'damask')}: create, run and watch AI patterns`,
    ...list(paint('bold', 'Use'), [
      ['cat mail.txt | damask run summarize', 'run a pattern on a text'],
      ['cat mail.txt | damask -p summarize', "the same in Fabric's way"],
      ['damask run summarize < mail.txt | damask run suggest_titles', 'one after the other'],
    ]),
    ...list(paint('bold', 'Commands'), entries),
    '`damask help <command>` explains one of them, with examples. `damask --version` prints the version.\n' +
      'Settings come from the environment: DAMASK_URL, DAMASK_API_KEY. `damask doctor` checks them.',
  ].join('\n\n');
}

/** Each flag as it is written, with what it does. */
export function flagLines(command: Command): [string, string][] {
  return Object.entries(command.flags).map(([name, { short, value, type, help }]) => {
    const long = `--${name}${type === 'string' ? ` ${value ?? '<value>'}` : ''}`;
    return [`${short ? `-${short}, ` : '    '}${long}`, help];
  });
}

function siblings(name: string, commands: Commands): [string, string][] {
  const family = name.split(' ')[0];
  return Object.entries(commands)
    .filter(([other]) => other !== name && other.split(' ')[0] === family)
    .map(([other, { summary }]) => [`damask ${other}`, summary]);
}

function list(title: string, lines: readonly (readonly [string, string])[]): string[] {
  if (lines.length === 0) return [];
  const width = Math.max(...lines.map(([left, right]) => (right ? left.length : 0)));
  return [[title, ...lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())].join('\n')];
}
