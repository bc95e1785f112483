import type { CreateRunInput, RenderRunInput } from '@damask/sdk';
import type { Flags, FlagValues } from './command.ts';
import { parseMetadata, parseVariables } from './key-values.ts';
import { durationFlag, numberFlag } from './number-flag.ts';
import { UsageError } from './usage-error.ts';

/** What a run can be told, and what changes when it is run again. */
export const choiceFlags = {
  variable: {
    type: 'string',
    short: 'v',
    multiple: true,
    value: '<name=value>',
    help: 'A variable; also -v=#name:value.',
  },
  model: {
    type: 'string',
    short: 'm',
    multiple: true,
    value: '<provider/model>',
    completes: 'models',
    help: 'The model; `damask models` lists them. Several: run on each and compare.',
  },
  vendor: { type: 'string', short: 'V', value: '<provider>', help: 'The provider, when -m names the model alone.' },
  context: {
    type: 'string',
    short: 'C',
    value: '<context>',
    completes: 'contexts',
    help: 'A context to put before the pattern.',
  },
  session: {
    type: 'string',
    value: '<session>',
    completes: 'sessions',
    help: 'Go on with this conversation, or begin it.',
  },
  attachment: {
    type: 'string',
    short: 'a',
    multiple: true,
    value: '<file>',
    completes: 'files',
    help: 'A file beside the input: an image, a PDF or a text.',
  },
  language: { type: 'string', short: 'g', value: '<tag>', help: 'The language of the answer, such as de or pt-BR.' },
  strategy: {
    type: 'string',
    value: '<strategy>',
    completes: 'strategies',
    help: 'A strategy to put before the pattern.',
  },
  'pattern-version': { type: 'string', value: '<number>', help: 'This version of the pattern.' },
  label: { type: 'string', value: '<label>', help: 'The version that a label points at.' },
  environment: { type: 'string', value: '<environment>', help: 'The version that an environment has.' },
  temperature: { type: 'string', short: 't', value: '<0..2>', help: 'Sampling temperature.' },
  topp: { type: 'string', short: 'T', value: '<0..1>', help: 'Nucleus sampling.' },
  presencepenalty: { type: 'string', short: 'P', value: '<-2..2>', help: 'Presence penalty.' },
  frequencypenalty: { type: 'string', short: 'F', value: '<-2..2>', help: 'Frequency penalty.' },
  seed: { type: 'string', short: 'e', value: '<number>', help: 'Seed, where the model takes one.' },
  'max-tokens': { type: 'string', value: '<number>', help: 'Longest answer.' },
  thinking: {
    type: 'string',
    value: '<effort>',
    help: 'How much a reasoning model thinks: off, minimal, low, medium, high.',
  },
  metadata: { type: 'string', multiple: true, value: '<key=value>', help: 'A note to keep with the run.' },
  subject: {
    type: 'string',
    value: '<person>',
    help: 'The end user whom the run is for; only an HMAC of it can be found.',
  },
  cache: {
    type: 'string',
    value: '<use|refresh|off>',
    help: 'For patterns that keep answers: take a kept one, ask anew and keep that, or neither.',
  },
  'idempotency-key': {
    type: 'string',
    value: '<key>',
    help: 'A repeat with the same key answers the first run instead of running again.',
  },
  timeout: {
    type: 'string',
    value: '<time>',
    help: 'Give the run up after this time: 30s, 5m; a bare number is seconds.',
  },
} as const satisfies Flags;

/** For runs that nobody waits for. */
export const queueFlags = {
  async: { type: 'boolean', help: 'Queue the run and print its id instead of waiting; `damask watch` follows it.' },
  at: { type: 'string', value: '<time>', help: 'With --async: not before this date, or in 10m, 2h.' },
  deadline: {
    type: 'string',
    value: '<time>',
    help: 'With --async: ended by this date, or within 10m, 2h, or failed.',
  },
  bulk: { type: 'boolean', help: 'With --async: let interactive runs go first.' },
} as const satisfies Flags;

/** When a queued run goes. */
export function scheduleOf({
  at,
  deadline,
  bulk,
}: Pick<FlagValues<typeof queueFlags>, 'at' | 'deadline' | 'bulk'>): Pick<
  CreateRunInput,
  'start_at' | 'deadline' | 'priority'
> {
  return {
    start_at: comingTime('at', at),
    deadline: comingTime('deadline', deadline),
    priority: bulk ? 'bulk' : undefined,
  };
}

/** A date, or a time from now on. */
function comingTime(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^[\d.]+(ms|s|m|h|d)$/.test(text)) return new Date(Date.now() + (durationFlag(name, text) ?? 0)).toISOString();
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`--${name} takes a date such as 2026-11-24T06:00 or a time such as 2h.`);
  return time.toISOString();
}

/** Where the answer goes, and how. */
export const answerFlags = {
  stream: { type: 'boolean', short: 's', help: 'Print the answer as it comes; the default on a terminal.' },
  'no-stream': { type: 'boolean', help: 'Print the answer when it is complete; the default otherwise.' },
  output: { type: 'string', short: 'o', value: '<file>', completes: 'files', help: 'Also write the answer to a file.' },
  copy: { type: 'boolean', short: 'c', help: 'Also copy the answer to the clipboard.' },
  'show-metadata': { type: 'boolean', help: 'Print tokens, cost and time to stderr, also in a pipeline.' },
  'no-wait': { type: 'boolean', help: 'Fail at once while the local model is still on its way.' },
} as const satisfies Flags;

type ChoiceFlags = FlagValues<typeof choiceFlags>;

/** What both a run and its preview take; the model apart, because there may be several. */
export function previewChoice(flags: ChoiceFlags): Omit<RenderRunInput, 'pattern' | 'input' | 'model' | 'attachments'> {
  const parameters = {
    temperature: numberFlag('temperature', flags.temperature),
    top_p: numberFlag('topp', flags.topp),
    presence_penalty: numberFlag('presencepenalty', flags.presencepenalty),
    frequency_penalty: numberFlag('frequencypenalty', flags.frequencypenalty),
    max_tokens: numberFlag('max-tokens', flags['max-tokens'], true),
    seed: numberFlag('seed', flags.seed, true),
    reasoning_effort: effortOf(flags.thinking),
  };
  const variables = parseVariables(flags.variable);
  return {
    variables: Object.keys(variables).length > 0 ? variables : undefined,
    version: numberFlag('pattern-version', flags['pattern-version'], true),
    label: flags.label,
    environment: flags.environment,
    strategy: flags.strategy,
    context: flags.context,
    session: flags.session,
    language: flags.language,
    parameters: Object.values(parameters).some((value) => value !== undefined) ? parameters : undefined,
  };
}

/** What only a run takes. */
export function runChoice(
  flags: ChoiceFlags,
): Pick<CreateRunInput, 'metadata' | 'subject' | 'cache' | 'idempotency_key' | 'timeout_ms'> {
  const metadata = parseMetadata(flags.metadata);
  return {
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    subject: flags.subject,
    cache: cacheOf(flags.cache),
    idempotency_key: flags['idempotency-key'],
    timeout_ms: durationFlag('timeout', flags.timeout),
  };
}

/** The models of -m and -V as `provider/model`, each once. */
export function modelsOf({ model, vendor }: Pick<ChoiceFlags, 'model' | 'vendor'>): string[] {
  if (model.length === 0 && vendor !== undefined) {
    throw new UsageError(`Name the model too: -m ${vendor}/<model>. \`damask models\` lists them.`);
  }
  const names = model.map((name) => {
    if (vendor !== undefined) return `${vendor.toLowerCase()}/${name}`;
    if (name.includes('/')) return name;
    throw new UsageError(`'${name}' has no provider. Write -m provider/model; \`damask models\` lists them.`);
  });
  return [...new Set(names)];
}

const cacheUses = ['use', 'refresh', 'off'] as const;

function cacheOf(text: string | undefined): (typeof cacheUses)[number] | undefined {
  const use = cacheUses.find((one) => one === text);
  if (text !== undefined && !use) throw new UsageError(`--cache takes use, refresh or off, not '${text}'.`);
  return use;
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high'] as const;

function effortOf(text: string | undefined): (typeof efforts)[number] | undefined {
  if (text === undefined) return undefined;
  const wanted = text === 'off' ? 'none' : text;
  const effort = efforts.find((one) => one === wanted);
  if (!effort) throw new UsageError(`--thinking takes off, minimal, low, medium or high, not '${text}'.`);
  return effort;
}
