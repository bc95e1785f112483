import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { answerFlags, choiceFlags, modelsOf, previewChoice, runChoice } from '../run-flags.ts';
import { runIdOf } from '../run-id.ts';
import { attachmentsOf, streams } from '../run-invocation.ts';
import { type RerunInput, type RunTarget, rerunCalls, runAtOnce, runStreamed } from '../run-pattern.ts';
import { UsageError } from '../usage-error.ts';
import { waitForModel } from '../wait-for-model.ts';
import { checkOutput } from '../write-output.ts';

export const rerun = defineCommand({
  name: 'rerun',
  usage: '<id>|last [flags]',
  about:
    'Runs a run again: the same version on the same input with the same choices, apart from what you name here. The\n' +
    'first run stays as it is. `last` is the newest run; lists show the end of each id, which is enough.',
  flags: {
    pattern: { type: 'string', short: 'p', value: '<pattern>', completes: 'patterns', help: 'Another pattern.' },
    input: {
      type: 'string',
      value: '<file>',
      completes: 'files',
      help: 'Another input, from a file; - is the standard input.',
    },
    ...choiceFlags,
    ...answerFlags,
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: [
    'damask rerun last -m openai/gpt-5-mini',
    'damask rerun last -v tone=dry -t 0.2',
    'damask rerun 1b2c3d4e5f60 -m openai/gpt-5-mini -m ollama/llama3.2',
  ],
  async run(invocation) {
    const { flags, positionals, terminal, config, connect } = invocation;
    if (flags.stream && flags['no-stream']) throw new UsageError('Choose one of --stream and --no-stream.');
    const models = modelsOf(flags);
    const choice = { pattern: flags.pattern, ...previewChoice(flags), ...runChoice(flags) };
    checkOutput(flags.output);
    const copy = flags.copy ? (await import('../clipboard.ts')).openClipboard(terminal, config) : undefined;
    const attachments = await attachmentsOf(flags.attachment);
    const text =
      flags.input === undefined
        ? undefined
        : await (await import('../input-file.ts')).readInputFile(flags.input, terminal);

    const access = await connect();
    const run = await runIdOf(access.damask, positionals[0] ?? '');
    const target: RunTarget<RerunInput> = { ...invocation, calls: rerunCalls(access.damask), copy };
    const whole = { run, ...choice, attachments, input: text };
    if (models.length > 1) return (await import('../compare-models.ts')).compareModels(target, access, models, whole);
    const perform = () => {
      const input = { ...whole, model: models[0] };
      return streams(invocation) ? runStreamed(target, input) : runAtOnce(target, input);
    };
    await (flags['no-wait'] ? perform() : waitForModel(access, terminal, perform));
    return undefined;
  },
});
