import { parseRegexp, type RegexpNode } from './parse-regexp.ts';

/** Steps of the machine that a pattern becomes; repetitions with a number are written out. */
const mostSteps = 2_000;

export type Step =
  | { readonly op: 'character'; readonly test: (character: string) => boolean }
  | { readonly op: 'fork'; first: number; second: number }
  | { readonly op: 'start' | 'end' | 'match' }
  | { readonly op: 'boundary'; readonly negated: boolean };

export interface LinearRegexp {
  /** True when the pattern fits somewhere in the text. Takes time in proportion to the text, whatever the pattern. */
  test(text: string): boolean;
}

/**
 * A regular expression of JavaScript's `u` dialect without look-around and back references. It runs all alternatives side
 * by side instead of one after the other, so that no pattern and no text can make it take exponential time. Throws a
 * plain Error that says what is not possible.
 */
export function createLinearRegexp(source: string): LinearRegexp {
  const steps = compileSteps(source);
  return { test: (text) => run(steps, text) };
}

/** The machine that a pattern becomes; it begins with the first step. Throws as `createLinearRegexp` does. */
export function compileSteps(source: string): readonly Step[] {
  const steps: Step[] = [];
  emit(parseRegexp(source), steps);
  steps.push({ op: 'match' });
  return steps;
}

function emit(node: RegexpNode, steps: Step[]): void {
  if (steps.length > mostSteps) throw new Error('the pattern is too large; write it with fewer repetitions');
  switch (node.kind) {
    case 'character':
      steps.push({ op: 'character', test: node.test });
      return;
    case 'start':
    case 'end':
      steps.push({ op: node.kind });
      return;
    case 'boundary':
      steps.push({ op: 'boundary', negated: node.negated });
      return;
    case 'sequence':
      for (const item of node.items) emit(item, steps);
      return;
    case 'choice':
      emitChoice(node.choices, steps);
      return;
    case 'repeat':
      emitTimes(node.item, node.least, steps);
      if (node.most === Number.POSITIVE_INFINITY) emitLoop(node.item, steps);
      else for (let i = node.least; i < node.most; i++) emitOptional(node.item, steps);
  }
}

function emitTimes(item: RegexpNode, times: number, steps: Step[]): void {
  for (let i = 0; i < times; i++) {
    const before = steps.length;
    emit(item, steps);
    // Nothing a thousand times is nothing; nested, it would take for ever.
    if (steps.length === before) return;
  }
}

function emitChoice(choices: readonly RegexpNode[], steps: Step[]): void {
  const [first, ...rest] = choices;
  if (first === undefined) return;
  if (rest.length === 0) {
    emit(first, steps);
    return;
  }
  const fork: Step = { op: 'fork', first: steps.length + 1, second: 0 };
  steps.push(fork);
  emit(first, steps);
  const leave: Step = { op: 'fork', first: 0, second: 0 };
  steps.push(leave);
  fork.second = steps.length;
  emitChoice(rest, steps);
  leave.first = steps.length;
  leave.second = steps.length;
}

function emitLoop(item: RegexpNode, steps: Step[]): void {
  const at = steps.length;
  const fork: Step = { op: 'fork', first: at + 1, second: 0 };
  steps.push(fork);
  emit(item, steps);
  steps.push({ op: 'fork', first: at, second: at });
  fork.second = steps.length;
}

function emitOptional(item: RegexpNode, steps: Step[]): void {
  const fork: Step = { op: 'fork', first: steps.length + 1, second: 0 };
  steps.push(fork);
  emit(item, steps);
  fork.second = steps.length;
}

function run(steps: readonly Step[], text: string): boolean {
  const seen = new Uint32Array(steps.length);
  let round = 0;
  let before = '';
  const active: number[] = [];
  let position = 0;
  while (true) {
    const code = text.codePointAt(position);
    const character = code === undefined ? '' : String.fromCodePoint(code);
    round += 1;
    const waiting: number[] = [];
    // A match may begin at every place: the first step joins those that are under way.
    active.push(0);
    while (active.length > 0) {
      const at = active.pop() as number;
      if (seen[at] === round) continue;
      seen[at] = round;
      const step = steps[at] as Step;
      if (step.op === 'match') return true;
      if (step.op === 'fork') active.push(step.first, step.second);
      else if (step.op === 'character') waiting.push(at);
      else if (holds(step, before, character)) active.push(at + 1);
    }
    if (character === '') return false;
    for (const at of waiting) {
      const step = steps[at];
      if (step?.op === 'character' && step.test(character)) active.push(at + 1);
    }
    before = character;
    position += character.length;
  }
}

const word = /^\w$/u;

/** Whether an edge or a boundary is between these two characters; the empty one stands for the end of the text. */
export function holds(
  step: Exclude<Step, { op: 'fork' | 'character' | 'match' }> | Step,
  before: string,
  after: string,
): boolean {
  if (step.op === 'start') return before === '';
  if (step.op === 'end') return after === '';
  if (step.op === 'boundary') return (word.test(before) !== word.test(after)) !== step.negated;
  return false;
}
