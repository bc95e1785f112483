import { defineCommand, type ServerAccess } from '../command.ts';
import { readInput } from '../read-input.ts';
import { modelsOf, previewChoice, runChoice, scheduleOf } from '../run-flags.ts';
import { attachmentsOf, type RunInvocation, runFlags, streams } from '../run-invocation.ts';
import { createCalls, type RunTarget, renderPreview, runAtOnce, runStreamed } from '../run-pattern.ts';
import { UsageError } from '../usage-error.ts';
import { waitForModel } from '../wait-for-model.ts';
import { checkOutput } from '../write-output.ts';

export const run = defineCommand({
  name: 'run',
  usage: '<pattern> [text...] [flags]',
  about:
    'Runs a pattern on a text: the arguments, then what comes on the standard input. The answer goes to stdout and\n' +
    'ends with a line end; all else goes to stderr. Ctrl-C cancels the run. With several -m it runs on each model at\n' +
    'once and shows the answers side by side.',
  flags: runFlags,
  positionals: [0, Number.POSITIVE_INFINITY],
  completes: ['patterns', 'files'],
  examples: [
    'cat mail.txt | damask run summarize',
    'cat mail.txt | damask -p summarize | damask -p suggest_titles',
    'damask run translate -v language=German "Good morning" < /dev/null',
    'damask run summarize -m openai/gpt-5-mini -o summary.md < report.txt',
    'damask run summarize -m openai/gpt-5-mini -m ollama/llama3.2 < report.txt',
    'damask run explain_code --session review -a screenshot.png "What is wrong here?" < /dev/null',
    'damask run summarize -c < report.txt',
    'damask run summarize --watch report.txt',
    'damask run summarize --dry-run < report.txt',
    'damask run summarize --async --deadline 2h < report.txt',
  ],
  async run(invocation) {
    const { flags, positionals, terminal, config, connect } = invocation;
    if (flags.stream && flags['no-stream']) throw new UsageError('Choose one of --stream and --no-stream.');
    if (flags.watch.length > 0) {
      const { watchRun } = await import('../watch-run.ts');
      return watchRun(invocation);
    }
    const [pattern, words] = flags.pattern ? [flags.pattern, positionals] : [positionals[0], positionals.slice(1)];
    if (pattern === undefined) {
      throw new UsageError('Which pattern? Write: damask run <pattern>. `damask patterns` lists them.');
    }
    const models = modelsOf(flags);
    const schedule = scheduleOf(flags);
    refuseWaiting(flags, models);
    const choice = { pattern, ...previewChoice(flags) };
    const more = runChoice(flags);
    checkOutput(flags.output);
    const copy = flags.copy ? (await import('../clipboard.ts')).openClipboard(terminal, config) : undefined;
    const attachments = await attachmentsOf(flags.attachment);
    // A person who attaches a file need not type a text as well.
    const input = attachments && terminal.stdinIsTerminal ? words.join(' ') : await readInput(words, terminal);

    const access = await connect();
    const target: RunTarget = { ...invocation, calls: createCalls(access.damask), copy };
    const whole = { ...choice, ...more, attachments, input };
    if (models.length > 1) {
      const { compareModels } = await import('../compare-models.ts');
      return explained(access, pattern, () => compareModels(target, access, models, whole));
    }
    const [model] = models;
    if (flags.async) {
      const { queueRun } = await import('../queue-run.ts');
      await explained(access, pattern, () => queueRun(target, access.damask, { ...whole, ...schedule, model }));
      return undefined;
    }
    const perform = () => {
      if (flags['dry-run']) return renderPreview(target, access.damask, { ...choice, attachments, model, input });
      return streams(invocation) ? runStreamed(target, { ...whole, model }) : runAtOnce(target, { ...whole, model });
    };
    await explained(access, pattern, () => (flags['no-wait'] ? perform() : waitForModel(access, terminal, perform)));
    return undefined;
  },
});

/** A queued run has no answer to print, and a run that is waited for begins now. */
function refuseWaiting(flags: RunInvocation['flags'], models: readonly string[]): void {
  if (!flags.async) {
    if (flags.at ?? flags.deadline ?? (flags.bulk || undefined)) {
      throw new UsageError('--at, --deadline and --bulk are for runs that nobody waits for: add --async.');
    }
    return;
  }
  if (flags.stream || flags.output !== undefined || flags.copy || flags['dry-run'] || models.length > 1) {
    throw new UsageError('--async prints the id of one queued run: leave -s, -o, -c, --dry-run and the second -m out.');
  }
}

/** Says which pattern was meant, when there is none of this name. */
async function explained<Result>(
  access: ServerAccess,
  pattern: string,
  perform: () => Promise<Result>,
): Promise<Result> {
  try {
    return await perform();
  } catch (error) {
    if (access.signal.aborted) throw error;
    const { explainMissingPattern } = await import('../explain-missing-pattern.ts');
    throw await explainMissingPattern(access.damask, pattern, error);
  }
}
