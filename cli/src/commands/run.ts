import type { CreateRunInput, RenderRunInput } from '@damask/sdk';
import { defineCommand, type FlagValues, jsonFlag, serverFlags } from '../command.ts';
import { parseMetadata, parseVariables } from '../key-values.ts';
import { durationFlag, numberFlag } from '../number-flag.ts';
import { readInput } from '../read-input.ts';
import { renderPreview, runAtOnce, runStreamed } from '../run-pattern.ts';
import { UsageError } from '../usage-error.ts';
import { waitForModel } from '../wait-for-model.ts';
import { checkOutput } from '../write-output.ts';

const flags = {
  pattern: { type: 'string', short: 'p', value: '<pattern>', help: 'The pattern, instead of the first argument.' },
  variable: {
    type: 'string',
    short: 'v',
    multiple: true,
    value: '<name=value>',
    help: 'A variable; also -v=#name:value.',
  },
  model: { type: 'string', short: 'm', value: '<provider/model>', help: 'The model; `damask models` lists them.' },
  vendor: { type: 'string', short: 'V', value: '<provider>', help: 'The provider, when -m names the model alone.' },
  stream: { type: 'boolean', short: 's', help: 'Print the answer as it comes; the default on a terminal.' },
  'no-stream': { type: 'boolean', help: 'Print the answer when it is complete; the default otherwise.' },
  output: { type: 'string', short: 'o', value: '<file>', help: 'Also write the answer to a file.' },
  strategy: { type: 'string', value: '<strategy>', help: 'A strategy to put before the pattern.' },
  'pattern-version': { type: 'string', value: '<number>', help: 'This version of the pattern.' },
  label: { type: 'string', value: '<label>', help: 'The version that a label points at.' },
  environment: { type: 'string', value: '<environment>', help: 'The version that an environment has.' },
  temperature: { type: 'string', short: 't', value: '<0..2>', help: 'Sampling temperature.' },
  topp: { type: 'string', short: 'T', value: '<0..1>', help: 'Nucleus sampling.' },
  presencepenalty: { type: 'string', short: 'P', value: '<-2..2>', help: 'Presence penalty.' },
  frequencypenalty: { type: 'string', short: 'F', value: '<-2..2>', help: 'Frequency penalty.' },
  seed: { type: 'string', short: 'e', value: '<number>', help: 'Seed, where the model takes one.' },
  'max-tokens': { type: 'string', value: '<number>', help: 'Longest answer.' },
  metadata: { type: 'string', multiple: true, value: '<key=value>', help: 'A note to keep with the run.' },
  timeout: {
    type: 'string',
    value: '<time>',
    help: 'Give the run up after this time: 30s, 5m; a bare number is seconds.',
  },
  'dry-run': { type: 'boolean', help: 'Print the exact messages that the run would send; call nothing.' },
  'no-wait': { type: 'boolean', help: 'Fail at once while the local model is still on its way.' },
  ...jsonFlag,
  ...serverFlags,
} as const;

export const run = defineCommand({
  name: 'run',
  usage: '<pattern> [text...] [flags]',
  about:
    'Runs a pattern on a text: the arguments, then what comes on the standard input. The answer goes to stdout and\n' +
    'ends with a line end; all else goes to stderr. Ctrl-C cancels the run.',
  flags,
  positionals: [0, Number.POSITIVE_INFINITY],
  examples: [
    'cat mail.txt | damask run summarize',
    'cat mail.txt | damask -p summarize | damask -p create_tags',
    'damask run translate -v lang_code=de "Good morning" < /dev/null',
    'damask run summarize -m openai/gpt-5-mini -o summary.md < report.txt',
    'damask run summarize --dry-run < report.txt',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [pattern, words] = flags.pattern ? [flags.pattern, positionals] : [positionals[0], positionals.slice(1)];
    if (pattern === undefined) {
      throw new UsageError('Which pattern? Write: damask run <pattern>. `damask patterns` lists them.');
    }
    if (flags.stream && flags['no-stream']) throw new UsageError('Choose one of --stream and --no-stream.');
    const choice = requestOf(pattern, flags);
    const more = runOnly(flags);
    checkOutput(flags.output);
    const input = await readInput(words, terminal);

    const access = await connect();
    const target = { damask: access.damask, terminal, json: flags.json === true, output: flags.output };
    const stream = flags.stream ?? (terminal.stdoutIsTerminal && !flags.json && !flags['no-stream']);
    const perform = () => {
      if (flags['dry-run']) return renderPreview(target, { ...choice, input });
      if (stream) return runStreamed(target, { ...choice, ...more, input });
      return runAtOnce(target, { ...choice, ...more, input });
    };
    try {
      await (flags['no-wait'] ? perform() : waitForModel(access, terminal, perform));
    } catch (error) {
      if (access.signal.aborted) throw error;
      const { explainMissingPattern } = await import('../explain-missing-pattern.ts');
      throw await explainMissingPattern(access.damask, pattern, error);
    }
  },
});

type RunFlags = FlagValues<typeof flags>;

function requestOf(pattern: string, flags: RunFlags): Omit<RenderRunInput, 'input'> {
  const parameters = {
    temperature: numberFlag('temperature', flags.temperature),
    top_p: numberFlag('topp', flags.topp),
    presence_penalty: numberFlag('presencepenalty', flags.presencepenalty),
    frequency_penalty: numberFlag('frequencypenalty', flags.frequencypenalty),
    max_tokens: numberFlag('max-tokens', flags['max-tokens'], true),
    seed: numberFlag('seed', flags.seed, true),
  };
  const variables = parseVariables(flags.variable);
  return {
    pattern,
    variables: Object.keys(variables).length > 0 ? variables : undefined,
    version: numberFlag('pattern-version', flags['pattern-version'], true),
    label: flags.label,
    environment: flags.environment,
    strategy: flags.strategy,
    model: modelOf(flags),
    parameters: Object.values(parameters).some((value) => value !== undefined) ? parameters : undefined,
  };
}

function runOnly(flags: RunFlags): Pick<CreateRunInput, 'metadata' | 'timeout_ms'> {
  const metadata = parseMetadata(flags.metadata);
  return {
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    timeout_ms: durationFlag('timeout', flags.timeout),
  };
}

function modelOf({ model, vendor }: RunFlags): string | undefined {
  if (model === undefined) {
    if (vendor !== undefined)
      throw new UsageError(`Name the model too: -m ${vendor}/<model>. \`damask models\` lists them.`);
    return undefined;
  }
  if (vendor !== undefined) return `${vendor.toLowerCase()}/${model}`;
  if (model.includes('/')) return model;
  throw new UsageError(`'${model}' has no provider. Write -m provider/model; \`damask models\` lists them.`);
}
