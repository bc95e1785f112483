import type { PatternVersion } from '@damask/sdk';

type Step = PatternVersion['steps'][number];

/** Draws a chain, one step a line, with rails from each step to those that need it. `steps` are in an order in which they run. */
export function drawChain(steps: readonly Step[], output: string | undefined): string[] {
  const left = new Map(steps.map(({ name }) => [name, steps.filter(({ needs }) => needs.includes(name)).length]));
  const rails: (string | undefined)[] = [];
  const lines: { readonly rails: string; readonly step?: Step }[] = [];
  for (const step of steps) {
    const from = rails.flatMap((name, column) => (name !== undefined && step.needs.includes(name) ? [column] : []));
    for (const name of step.needs) left.set(name, (left.get(name) ?? 1) - 1);
    const ended = from.filter((column) => left.get(rails[column] as string) === 0);
    const free = rails.indexOf(undefined);
    const own = ended[0] ?? (free === -1 ? rails.length : free);
    const others = from.filter((column) => column !== own);
    if (others.length > 0) lines.push({ rails: connect(rails, own, others, ended) });
    for (const column of ended) rails[column] = undefined;
    rails[own] = step.name;
    lines.push({ rails: rails.map((name, column) => cell(name, column === own)).join(' '), step });
    if (left.get(step.name) === 0) rails[own] = undefined;
    while (rails.length > 0 && rails.at(-1) === undefined) rails.pop();
  }
  const wide = Math.max(0, ...lines.map(({ rails: drawn }) => drawn.length));
  const named = Math.max(0, ...steps.map(({ name }) => name.length));
  const drawn = lines.map(({ rails: before, step }) =>
    step ? `${before.padEnd(wide)}  ${step.name.padEnd(named)}  ${describeStep(step)}`.trimEnd() : before.trimEnd(),
  );
  return output === undefined ? drawn : [...drawn, `answers ${output}`];
}

const cell = (name: string | undefined, own: boolean) => (own ? '●' : name === undefined ? ' ' : '│');

/** The line above a step to which rails of other columns lead. */
function connect(
  rails: readonly (string | undefined)[],
  own: number,
  others: readonly number[],
  ended: readonly number[],
): string {
  const first = Math.min(own, ...others);
  const last = Math.max(own, ...others);
  let line = '';
  for (let column = 0; column < Math.max(rails.length, own + 1); column++) {
    const within = column >= first && column <= last;
    const goesOn = rails[column] !== undefined && !(others.includes(column) && ended.includes(column));
    const sides = { up: rails[column] !== undefined, down: column === own || goesOn };
    const joined = column === own || others.includes(column);
    line += within
      ? corner({ left: column > first, right: column < last, ...(joined ? sides : { up: goesOn, down: goesOn }) })
      : rails[column] === undefined
        ? ' '
        : '│';
    line += within && column < last ? '─' : ' ';
  }
  return line;
}

interface Sides {
  readonly left: boolean;
  readonly right: boolean;
  readonly up: boolean;
  readonly down: boolean;
}

// By its sides: left, right, up, down.
const corners = ' ╷╵│╶╭╰├╴╮╯┤─┬┴┼';
const corner = ({ left, right, up, down }: Sides) =>
  corners[(left ? 8 : 0) + (right ? 4 : 0) + (up ? 2 : 0) + (down ? 1 : 0)] ?? ' ';

function describeStep(step: Step): string {
  const { approval, for_each, map_reduce, retry, when, on_error, needs } = step;
  const said = [
    approval ? `asks a person: ${oneLine(approval.message)}` : target(step),
    for_each !== null && `for each of ${for_each}`,
    map_reduce && `in parts of ${map_reduce.size} characters, merged by ${target(map_reduce.reduce)}`,
    ...when.map(({ ref, test, value }) => `if ${ref} ${test.replace('_', ' ')} ${oneLine([String(value)])}`),
    retry.times > 0 && `tried ${retry.times + 1} times`,
    on_error !== 'fail' && (on_error === 'skip' ? 'left out when it fails' : 'a fixed answer when it fails'),
    needs.length > 0 && `← ${needs.join(', ')}`,
  ];
  return said.filter((part) => typeof part === 'string' && part !== '').join(', ');
}

const target = ({ pattern, version, label }: Pick<Step, 'pattern' | 'version' | 'label'>) =>
  `${pattern}${version === null && label === null ? '' : `@${version ?? label}`}`;

function oneLine(parts: readonly string[]): string {
  const text = parts.join(' ').replaceAll(/\s+/g, ' ').trim();
  return text.length > 50 ? `${text.slice(0, 49).toWellFormed()}…` : text;
}
