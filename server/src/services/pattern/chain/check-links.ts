import type { ChainStep } from '@damask/contracts/chain.ts';
import { faultOfValue, type VariableRule } from '../template/variables.ts';
import { nameClosest } from '../yaml/name-closest.ts';
import type { PlannedText, Reference } from './chain-plan.ts';
import { type Fault, parseReference, readParts, readReference } from './parse-reference.ts';
import type { Answer, ChainProblem, ResolvedStep, StepTarget } from './resolved-chain.ts';
import {
  anything,
  entryShape,
  expand,
  listOf,
  may,
  type Shape,
  schemaShape,
  shapeAt,
  textShape,
} from './value-shape.ts';

interface Links {
  readonly variables: readonly VariableRule[];
  readonly steps: ReadonlyMap<string, ResolvedStep>;
}

interface Known {
  readonly shape: Shape;
  /** Set where the value is one of the chain's own variables. */
  readonly rule?: VariableRule;
}

const decisionShape = schemaShape({
  type: 'object',
  properties: {
    decision: { enum: ['approve', 'reject'] },
    comment: { type: 'string' },
    by: { type: ['string', 'null'] },
  },
});
// Nobody reads more, and looking for the closest name of each would take seconds.
const problemsAllowed = 20;
const guessesAllowed = 5;
const asText: Answer = { type: 'text', schema: null };

/** Whether what steps give fits what steps take. Answers what the chain itself answers, and each problem with its place. */
export function checkLinks(
  chain: { readonly variables: readonly VariableRule[]; readonly output: string },
  resolved: readonly ResolvedStep[],
): { readonly answer: Answer; readonly problems: readonly ChainProblem[] } {
  const problems: ChainProblem[] = [];
  const links: Links = { variables: chain.variables, steps: new Map(resolved.map((each) => [each.step.name, each])) };
  for (const { step, runs, merges } of resolved) {
    if (problems.length >= problemsAllowed) break;
    const tell = (field: string, detail: string) =>
      problems.push({
        place: field === '' ? step.name : `${step.name}/${field}`,
        detail: `the step ${step.name}: ${detail}`,
      });
    const item = step.for_each === null ? anything : itemOf(links, step.for_each, tell);
    const look = (field: string, text: PlannedText) => {
      for (const part of problems.length < problemsAllowed ? text : []) {
        const known = 'text' in part ? undefined : knownOf(links, part, item);
        if (known && 'fault' in known) tell(field, known.fault);
      }
    };
    look('input', readParts(step.input));
    look('approval/message', readParts(step.approval?.message ?? []));
    for (const { ref } of step.when) look('when', [readReference(ref)]);
    const values = (field: string, target: StepTarget | undefined, given: ChainStep['variables']) => {
      for (const value of Object.values(given)) look(field, readParts(value));
      if (target) checkValues(links, { target, given, item }, (name, detail) => tell(`${field}/${name}`, detail));
    };
    for (const field of runs?.chain ? ofOneCall(step) : []) {
      tell(field, `${step.pattern} is a chain, and ${field} is for one call; say it in its own steps`);
    }
    for (const [field, found] of [
      ['pattern', runs],
      ['map_reduce', merges],
    ] as const) {
      const [token] = found?.target.disabled ?? [];
      if (token) tell(field, `${found?.target.pin.pattern} needs a capability that is off: ${token}`);
    }
    values('variables', runs?.target, step.variables);
    if (step.map_reduce) values('map_reduce/reduce/variables', merges?.target, step.map_reduce.reduce.variables);
  }
  const output = knownOf(links, readReference(chain.output), anything);
  if ('fault' in output) problems.push({ place: 'output', detail: `output: ${output.fault}` });
  return { answer: answerOf(links, chain.output), problems };
}

/** What the step says of the call that it makes. */
function ofOneCall({ retry, timeout_ms, model, parameters }: ChainStep): string[] {
  const said = { retry: retry.times > 0, timeout_ms: timeout_ms !== null, model: model !== null };
  const parametersSaid = Object.keys(parameters).length > 0 ? ['parameters'] : [];
  return [...Object.entries(said).flatMap(([field, is]) => (is ? [field] : [])), ...parametersSaid];
}

function itemOf(links: Links, text: string, tell: (field: string, detail: string) => void): Shape {
  const known = knownOf(links, readReference(text), anything);
  const entry = 'fault' in known ? known : entryShape(known.shape);
  if (!('fault' in entry)) return entry;
  tell('for_each', 'fault' in known ? known.fault : `for_each needs a list, and ${text} ${entry.fault}`);
  return anything;
}

function knownOf(links: Links, reference: Reference, item: Shape): Known | Fault {
  switch (reference.from) {
    case 'input':
      return { shape: textShape('the input, a text') };
    case 'variable': {
      const rule = links.variables.find(({ name }) => name === reference.name);
      return { shape: textShape('a variable, a text'), ...(rule && { rule }) };
    }
    case 'index':
      return { shape: schemaShape({ type: 'integer' }) };
    case 'item':
      return at(item, reference, `$item`);
    case 'output':
      return { shape: textShape(`the text of the step ${reference.step}`) };
    case 'data': {
      const step = links.steps.get(reference.step);
      const data = step ? dataOf(step) : anything;
      return 'fault' in data ? data : at(data, reference, `$steps.${reference.step}.data`);
    }
  }
}

function at(shape: Shape, { path }: Extract<Reference, { path: unknown }>, root: string): Known | Fault {
  const found = shapeAt(shape, path);
  if (!('fault' in found)) return { shape: found };
  const shown = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  return { fault: `${root}${shown} ${found.fault}` };
}

/** What `$steps.name.data` is. */
function dataOf(resolved: ResolvedStep): Shape | Fault {
  const { step, runs } = resolved;
  if (step.approval) return decisionShape;
  if (!runs) return anything;
  const { type, schema } = answerOfStep(resolved);
  const one = type === 'json' ? (schema === null ? anything : schemaShape(schema)) : undefined;
  if (step.for_each !== null) return listOf(one ?? textShape('a text'));
  if (one) return one;
  const name = runs.target.pin.pattern;
  const also = step.map_reduce ? ` or ${step.map_reduce.reduce.pattern}` : '';
  return {
    fault: `$steps.${step.name}.data is of ${name}${also}, which answers ${type}, not json; use $steps.${step.name}.output, or let it answer json`,
  };
}

/** A text that fits into one part is not merged: a step with parts answers as the one pattern or the other. */
function answerOfStep(resolved: ResolvedStep): Answer {
  const known = answers.get(resolved) ?? judgeAnswer(resolved);
  answers.set(resolved, known);
  return known;
}

// Schemas may be large, and many references may lead to one step.
const answers = new WeakMap<ResolvedStep, Answer>();

function judgeAnswer({ step, runs, merges }: ResolvedStep): Answer {
  if (!runs) return asText;
  if (!step.map_reduce || !merges) return runs.answer;
  const [one, other] = [runs.answer, merges.answer];
  if (JSON.stringify(one) === JSON.stringify(other)) return one;
  if (one.type === other.type) return { type: one.type, schema: null };
  return { type: one.type === 'json' || other.type === 'json' ? 'text' : 'markdown', schema: null };
}

interface Given {
  readonly target: StepTarget;
  readonly given: ChainStep['variables'];
  readonly item: Shape;
}

function checkValues(links: Links, { target, given, item }: Given, tell: (name: string, detail: string) => void): void {
  const { pattern } = target.pin;
  const names = target.variables.map(({ name }) => name);
  for (const name of Object.keys(given)
    .filter((each) => !names.includes(each))
    .slice(0, guessesAllowed)) {
    const known = names.length === 0 ? 'It has none' : `It knows ${names.slice(0, 20).join(', ')}`;
    tell(name, `${pattern} has no variable ${name}${nameClosest(name, names)}. ${known}`);
  }
  for (const rule of target.variables) {
    const value = Object.hasOwn(given, rule.name) ? given[rule.name] : undefined;
    if (value === undefined) {
      if (rule.required) tell('', `${pattern} needs the variable ${rule.name}; give it under variables`);
      continue;
    }
    const fault = faultOfGiven(links, rule, readParts(value), item);
    if (fault !== undefined) tell(rule.name, `the variable ${rule.name} of ${pattern} ${fault}`);
  }
}

function faultOfGiven(links: Links, rule: VariableRule, text: PlannedText, item: Shape): string | undefined {
  const words = text.flatMap((part) => ('text' in part ? [part.text] : []));
  if (words.length === text.length) return faultOfValue(rule, words.join('\n\n'));
  const [only] = text;
  if (rule.type === 'string') return undefined;
  const kind = rule.type === 'enum' ? `one of ${(rule.values ?? []).slice(0, 20).join(', ')}` : `of type ${rule.type}`;
  if (text.length > 1 || !only || 'text' in only) return `is ${kind}; give it one reference alone`;
  const known = knownOf(links, only, item);
  if ('fault' in known) return undefined;
  const { shape, rule: own } = known;
  const fits = own
    ? fitsRule(rule, own)
    : shape.freeText === undefined && expand(shape).some((each) => fitsSchema(rule, each));
  if (fits) return undefined;
  const got = own ? `a variable of type ${own.type}` : (shape.freeText ?? 'something else by its schema');
  return `is ${kind}, and what it is given is ${got}; let a pattern that answers json give it`;
}

function fitsRule(wanted: VariableRule, own: VariableRule): boolean {
  if (wanted.type === 'enum')
    return own.type === 'enum' && (own.values ?? []).every((each) => wanted.values?.includes(each));
  return own.type === wanted.type || (wanted.type === 'number' && own.type === 'integer');
}

function fitsSchema(rule: VariableRule, schema: ReturnType<typeof expand>[number]): boolean {
  if (schema === true) return true;
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : undefined;
  if (values) return values.some((value) => faultOfValue(rule, String(value)) === undefined);
  if (rule.type === 'enum') return schema.type === undefined;
  return may(schema, rule.type) || (rule.type === 'number' && may(schema, 'integer'));
}

/** What a chain answers whose `output` is this reference. */
function answerOf(links: Links, output: string): Answer {
  const reference = parseReference(output);
  if ('fault' in reference) return asText;
  if (reference.from === 'output') {
    const found = links.steps.get(reference.step);
    const answer = found ? answerOfStep(found) : asText;
    if (!found || found.step.for_each === null) return answer;
    return answer.type === 'json' ? asText : { type: answer.type, schema: null };
  }
  if (reference.from !== 'data') return asText;
  const known = knownOf(links, reference, anything);
  const schemas = 'fault' in known ? [] : known.shape.alternatives;
  const [only] = schemas;
  const alone = schemas.length === 1 && typeof only === 'object' && !JSON.stringify(only).includes('"$ref"');
  return { type: 'json', schema: alone ? only : null };
}
