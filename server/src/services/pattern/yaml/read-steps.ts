import type { ChainStep } from '@damask/contracts/chain.ts';
import type { StepYaml } from '@damask/contracts/chain-yaml.ts';
import type { Reference } from '../chain/chain-plan.ts';
import { parsePart, parseReference, stepOf } from '../chain/parse-reference.ts';
import { toText } from '../chain/resolve-reference.ts';
import { orderSteps } from '../chain/step-order.ts';
import { quoteText } from '../library/quote-text.ts';
import { nameClosest } from './name-closest.ts';
import type { Places } from './read-by-schema.ts';
import type { YamlSource } from './read-yaml.ts';

/** The steps of pattern.yaml, in an order in which they can run. */
export interface WrittenChain {
  readonly steps: readonly ChainStep[];
  /** The reference that gives the answer. */
  readonly output: string;
  /** Lines by place: `summary`, `summary/input/0`, `output`. */
  readonly lines: Readonly<Record<string, number>>;
}

interface Reading {
  readonly source: YamlSource;
  readonly places: Places;
  readonly written: Readonly<Record<string, StepYaml>>;
  readonly variables: readonly string[];
}

const waitOfRetry = 1000;
const waitOfApproval = 30 * 24 * 3600;
const forCalls = ['version', 'label', 'input', 'variables', 'for_each', 'map_reduce', 'retry', 'timeout_ms', 'model'];

// Nobody reads more, and looking for the closest name of each would take seconds.
const problemsAllowed = 20;
const guessesAllowed = 5;
const nothing: WrittenChain = { steps: [], output: '$input', lines: {} };

/** Reads steps and answers the chain; what is wrong is told to `source` with its line. */
export function readSteps(reading: Reading, output: string | undefined): WrittenChain {
  const { source, places, written } = reading;
  const names = Object.keys(written);
  // What was refused would be missed as well.
  if (source.problems.length > 0) return nothing;
  if (names.length === 0) source.refuse(places.get('steps'), 'steps needs at least one step');
  const read = names.map((name) => readStep(reading, name, written[name] as StepYaml));
  const ordered = orderSteps(read);
  if ('circle' in ordered) {
    const at = places.get(`steps/${ordered.circle[0]}#key`);
    source.refuse(at, `the steps wait for each other: ${ordered.circle.join(' → ')}`);
  }
  const steps = 'steps' in ordered ? ordered.steps : read;
  return { steps, output: readOutput(reading, steps, output), lines: linesOf(source, places) };
}

function linesOf(source: YamlSource, places: Places): Record<string, number> {
  const lines: [string, number][] = [['output', source.lineOf(places.get('output'))]];
  for (const [place, node] of places) {
    if (!place.startsWith('steps/')) continue;
    const [name = '', key] = place.slice('steps/'.length).split('#');
    if (key === undefined ? !name.includes('/') : name.includes('/')) continue;
    lines.push([name, source.lineOf(node)]);
  }
  return Object.fromEntries(lines);
}

function readStep(reading: Reading, name: string, written: StepYaml): ChainStep {
  const { source, places } = reading;
  const at = (field: string) => places.get(`steps/${name}/${field}`);
  const refuse = (field: string, detail: string) =>
    source.refuse(at(field) ?? places.get(`steps/${name}#key`), `the step ${name}: ${detail}`);
  const needs = new Set<string>();
  const own = { each: written.for_each !== undefined, name, needs };
  const texts = (field: string, value: string | readonly string[] | undefined) => {
    if (value === undefined) return [];
    const parts = typeof value === 'string' ? [value] : value;
    for (const [index, part] of parts.entries()) {
      if (source.problems.length >= problemsAllowed) break;
      const parsed = parsePart(part);
      const place = typeof value === 'string' ? field : `${field}/${index}`;
      if ('fault' in parsed) refuse(place, parsed.fault);
      else if (!('text' in parsed)) checkReference(reading, parsed, own, (detail) => refuse(place, detail));
    }
    return [...parts];
  };
  const values = (field: string, given: Readonly<Record<string, string | readonly string[]>> | undefined) =>
    Object.fromEntries(Object.entries(given ?? {}).map(([key, value]) => [key, texts(`${field}/${key}`, value)]));
  const one = (field: string, text: string | undefined, each = own.each) => {
    if (text === undefined) return null;
    const parsed = parseReference(text);
    if ('fault' in parsed) refuse(field, parsed.fault);
    else checkReference(reading, parsed, { ...own, each }, (detail) => refuse(field, detail));
    return text;
  };
  const { approval, map_reduce, retry, on_error = 'fail' } = written;
  const each = one('for_each', written.for_each, false);
  const when = readWhen(written, (field, text) => one(field, text), refuse);
  for (const need of written.after ?? []) {
    if (Object.hasOwn(reading.written, need)) needs.add(need);
    else refuse('after', unknownStep(need, reading));
  }
  const merge = typeof map_reduce?.reduce === 'string' ? { pattern: map_reduce.reduce } : map_reduce?.reduce;
  const step: Omit<ChainStep, 'needs'> = {
    name,
    pattern: written.pattern ?? null,
    version: written.version ?? null,
    label: written.label ?? null,
    input: approval ? [] : texts('input', written.input ?? (own.each ? '$item' : '$input')),
    variables: values('variables', written.variables),
    when,
    for_each: each,
    max_items: written.max_items ?? 100,
    parallel: written.parallel ?? 5,
    map_reduce:
      map_reduce && merge
        ? {
            size: map_reduce.size,
            overlap: map_reduce.overlap ?? 0,
            reduce: {
              pattern: merge.pattern,
              version: ('version' in merge ? merge.version : undefined) ?? null,
              label: ('label' in merge ? merge.label : undefined) ?? null,
              variables: values('map_reduce/reduce/variables', 'variables' in merge ? merge.variables : undefined),
            },
          }
        : null,
    retry: { times: retry?.times ?? 0, wait_ms: retry?.wait_ms ?? waitOfRetry },
    timeout_ms: written.timeout_ms ?? null,
    on_error: typeof on_error === 'string' ? on_error : toOutcome(on_error.value),
    approval: approval
      ? {
          message: texts('approval/message', approval.message),
          timeout_seconds: approval.timeout_seconds ?? waitOfApproval,
          on_timeout: approval.on_timeout ?? 'reject',
        }
      : null,
    model: written.model ?? null,
    parameters: written.parameters ?? {},
  };
  refuseMixed(written, refuse);
  return { ...step, needs: [...needs] };
}

type Refuse = (field: string, detail: string) => void;

function refuseMixed(written: StepYaml, refuse: Refuse): void {
  const { pattern, approval, map_reduce: parts, for_each } = written;
  if (pattern === undefined && !approval) refuse('', 'needs pattern (what it runs), or approval (a person decides)');
  if (pattern !== undefined && approval) refuse('approval', 'has pattern and approval; make two steps of it');
  if (approval && [approval.message].flat().join('').trim() === '')
    refuse('approval', 'the message of the approval is empty');
  const idle = approval ? [...forCalls, 'parameters'].filter((field) => Object.hasOwn(written, field)) : [];
  for (const field of idle) refuse(field, `${field} means nothing for an approval; remove it`);
  if (written.version !== undefined && written.label !== undefined) refuse('label', 'say version or label, not both');
  if (typeof parts?.reduce === 'object' && parts.reduce.version !== undefined && parts.reduce.label !== undefined)
    refuse('map_reduce', 'say version or label of reduce, not both');
  if (written.max_items !== undefined && for_each === undefined) refuse('max_items', 'max_items is for for_each');
  if (written.parallel !== undefined && for_each === undefined && !parts)
    refuse('parallel', 'parallel is for for_each and map_reduce');
  if (parts && for_each !== undefined)
    refuse('map_reduce', 'for_each and map_reduce do not go together; put map_reduce into a chain that the step runs');
  if (parts && (parts.overlap ?? 0) * 2 >= parts.size) refuse('map_reduce', 'overlap must be below half of size');
}

function readWhen(
  { when }: StepYaml,
  reference: (field: string, text: string) => unknown,
  refuse: Refuse,
): ChainStep['when'] {
  const conditions = when === undefined ? [] : Array.isArray(when) ? when : [when];
  return conditions.flatMap(({ ref, ...tests }, index) => {
    const field = Array.isArray(when) ? `when/${index}` : 'when';
    if (ref !== undefined) reference(`${field}/ref`, ref);
    const [test, more] = Object.entries(tests).filter(([, value]) => value !== undefined);
    if (test && !more) return [{ ref, test: test[0], value: test[1] } as ChainStep['when'][number]];
    refuse(field, 'a condition needs one of equals, not_equals, contains, above, below, exists');
    return [];
  });
}

function checkReference(
  reading: Reading,
  reference: Reference,
  { each, name, needs }: { readonly each: boolean; readonly name: string; readonly needs: Set<string> },
  tell: (detail: string) => void,
): void {
  const { variables, written } = reading;
  const step = stepOf(reference);
  if (step !== undefined) {
    if (step === name) tell('it refers to itself');
    else if (Object.hasOwn(written, step)) needs.add(step);
    else tell(unknownStep(step, reading));
  }
  if ((reference.from === 'item' || reference.from === 'index') && !each)
    tell(`$${reference.from} is there only in a step with for_each`);
  if (reference.from === 'variable' && !variables.includes(reference.name)) {
    const closest = reading.source.problems.length >= guessesAllowed ? '' : nameClosest(reference.name, variables);
    tell(`there is no variable ${quoteText(reference.name, 60)}${closest}; declare it under variables`);
  }
}

function unknownStep(name: string, { written, source }: Reading): string {
  const known = Object.keys(written);
  if (source.problems.length >= guessesAllowed) return `there is no step ${quoteText(name, 60)}`;
  return `there is no step ${quoteText(name, 60)}${nameClosest(name, known)}. Steps: ${known.slice(0, 20).join(', ')}`;
}

/** The reference that gives the answer: what `output` says, else the one step that nothing comes after. */
function readOutput(reading: Reading, steps: readonly ChainStep[], written: string | undefined): string {
  const { source, places } = reading;
  const refuse = (detail: string) => source.refuse(places.get('output') ?? places.get('steps#key'), detail);
  if (written !== undefined) {
    const parsed = parseReference(written);
    const own = { each: false, name: '', needs: new Set<string>() };
    if ('fault' in parsed) refuse(`output: ${parsed.fault}`);
    else checkReference(reading, parsed, own, (detail) => refuse(`output: ${detail}`));
    return written;
  }
  const needed = new Set(steps.flatMap(({ needs }) => needs));
  const last = steps.filter(({ name }) => !needed.has(name));
  const [only, other] = last;
  if (only && !other && only.approval === null) return `$steps.${only.name}.output`;
  const names = last.slice(0, 5).map(({ name }) => name);
  const asked = other
    ? `${names.join(', ')} are needed by no other step`
    : `the last step, ${names[0]}, is an approval`;
  if (only) refuse(`${asked}; say what the chain answers, as output: $steps.${names[0]}.output`);
  return '$input';
}

function toOutcome(value: unknown): { output: string; data?: unknown } {
  return typeof value === 'string' ? { output: value } : { output: toText(value), data: value };
}
