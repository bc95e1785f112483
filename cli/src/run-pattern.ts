import {
  type CallOptions,
  type CreateRunInput,
  type Damask,
  DamaskError,
  type Message,
  type RenderRunInput,
  type RerunRunInput,
  type Run,
  type RunEvent,
} from '@damask/sdk';
import type { CopyText } from './clipboard.ts';
import { formatCost, formatCount, formatDuration } from './figures.ts';
import { createStepProgress } from './step-progress.ts';
import { printable, type Terminal } from './terminal.ts';
import { writeOutput, writeOutputFile } from './write-output.ts';

/** The two ways to get an answer: a new run, or one that is run again. */
export interface RunCalls<Input> {
  create(input: Input, options?: CallOptions): Promise<Run>;
  stream(input: Input, options?: CallOptions): AsyncIterable<RunEvent>;
}

export type RunInput = Omit<CreateRunInput, 'stream'>;
export type RerunInput = Omit<RerunRunInput, 'stream'>;

export interface RunTarget<Input = RunInput> {
  readonly calls: RunCalls<Input>;
  readonly terminal: Terminal;
  readonly flags: {
    readonly json?: boolean | undefined;
    /** The file of -o. */
    readonly output?: string | undefined;
    readonly 'show-metadata'?: boolean | undefined;
  };
  readonly copy?: CopyText | undefined;
  /** Gives up this run alone. */
  readonly signal?: AbortSignal | undefined;
}

export const createCalls = ({ runs }: Damask): RunCalls<RunInput> => ({ create: runs.create, stream: runs.stream });

export const rerunCalls = ({ runs }: Damask): RunCalls<RerunInput> => ({
  create: runs.rerun,
  stream: runs.rerunStream,
});

/** Runs and prints the answer when it is complete: a failed run leaves stdout empty. */
export async function runAtOnce<Input>(target: RunTarget<Input>, input: Input): Promise<void> {
  const { terminal, flags } = target;
  const patience = showPatience(terminal);
  const run = await target.calls.create(input, { signal: target.signal }).finally(patience.end);
  await writeOutput(terminal, flags.json ? toJson(run) : (run.output ?? ''), flags.output);
  if (!flags.json) noteDeprecation(terminal, run.pattern, run.deprecated);
  if (!flags.json) noteFigures(target, run);
  await target.copy?.(run.output ?? '');
}

/** Runs and prints the answer as it comes; with --json, each event on a line of its own. */
export async function runStreamed<Input>(target: RunTarget<Input>, input: Input): Promise<void> {
  const { terminal, flags } = target;
  const json = flags.json === true;
  let lastCharacter = '\n';
  const patience = showPatience(terminal);
  const progress = createStepProgress(terminal);
  const endLine = async () => {
    if (lastCharacter !== '\n' && !json) await terminal.result('\n');
  };
  try {
    for await (const event of target.calls.stream(input, { signal: target.signal })) {
      if (json) await terminal.result(`${JSON.stringify(event)}\n`);
      if (event.event !== 'run.accepted') patience.end();
      else if (!json) noteDeprecation(terminal, event.data.pattern, event.data.deprecated);
      if (event.event === 'step.changed' && !json) progress.show(event.data);
      if (event.event === 'output.restarted' && !json) {
        await endLine();
        terminal.note(terminal.paintNote('yellow', 'Another process went on with the run: the answer begins anew.'));
      }
      if (event.event === 'output.delta') {
        progress.end();
        if (!json) await terminal.result(event.data.text);
        lastCharacter = event.data.text.at(-1) ?? lastCharacter;
      }
      if (event.event.startsWith('run.')) progress.end();
      if (event.event === 'run.failed' || event.event === 'run.cancelled') throw failureOf(event.data);
      if (event.event === 'run.succeeded') {
        await endLine();
        writeOutputFile(event.data.output ?? '', flags.output);
        if (!json) noteFigures(target, event.data);
        await target.copy?.(event.data.output ?? '');
      }
    }
  } catch (error) {
    await endLine().catch(() => undefined);
    throw error;
  } finally {
    patience.end();
    progress.end();
  }
}

/** Tells a person who has waited for two seconds that the model is still at it, until `end`. */
function showPatience(terminal: Terminal): { end(): void } {
  if (!terminal.stderrIsTerminal) return { end: () => undefined };
  let seconds = 1;
  const timer = setInterval(() => {
    seconds += 1;
    if (seconds >= 2) terminal.status(`waiting for the model, ${seconds} s`);
  }, 1_000);
  return {
    end() {
      clearInterval(timer);
      if (seconds >= 2) terminal.status('');
      seconds = 0;
    },
  };
}

/** Prints the messages that the run would send. */
export async function renderPreview(
  { terminal, flags, copy }: Omit<RunTarget, 'calls'>,
  damask: Damask,
  input: RenderRunInput,
): Promise<void> {
  const preview = await damask.render(input);
  if (flags.json) return writeOutput(terminal, toJson(preview), flags.output);
  const model = preview.model ?? (preview.steps ? `${preview.steps.length} steps` : 'no model yet');
  const parameters = Object.entries(preview.parameters).map(([name, value]) => ` ${name}=${value}`);
  terminal.note(
    terminal.paintNote('dim', `${preview.pattern}@${preview.version} ${preview.digest} ${model}${parameters.join('')}`),
  );
  if (preview.steps) {
    const steps = preview.steps.map(
      ({ path, pattern, version }) => `${path}  ${pattern ? `${pattern}@${version}` : 'a person decides'}`,
    );
    return writeOutput(terminal, `${steps.join('\n')}\n`, flags.output);
  }
  const messages = preview.messages.map(({ role, content }) => `--- ${role}\n${textOf(content)}`);
  await writeOutput(terminal, messages.join('\n'), flags.output);
  await copy?.(messages.join('\n'));
}

function textOf(content: Message['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : `[${part.type}, ${part.media_type}]`)).join('\n');
}

export function failureOf(run: Run): DamaskError {
  const code = run.error?.code ?? (run.status === 'cancelled' ? 'run_cancelled' : 'internal');
  const detail = run.error?.detail ?? (run.status === 'cancelled' ? 'The run was cancelled.' : 'The run failed.');
  return new DamaskError(code, detail, { runId: run.id });
}

/** Tells whoever runs a pattern that it should not be used any more. */
function noteDeprecation(terminal: Terminal, pattern: string, deprecated: Run['deprecated'] | null): void {
  if (!deprecated) return;
  const { successor, message } = deprecated;
  const instead = successor ? ` Use ${successor} instead: damask run ${successor}` : '';
  const why = message ? ` ${message.replace(/\.?$/, '.')}` : '';
  terminal.note(terminal.paintNote('yellow', printable(`${pattern} is deprecated.${why}${instead}`)));
}

function noteFigures({ terminal, flags }: Pick<RunTarget, 'terminal' | 'flags'>, run: Run): void {
  if (run.stop_reason === 'length') {
    terminal.note(
      `The answer was cut at ${run.usage.output_tokens ?? 'its limit of'} tokens. Allow more with --max-tokens.`,
    );
  }
  // Only where a person watches: in a pipeline every step would say it.
  if (!flags['show-metadata'] && !(terminal.stdoutIsTerminal && terminal.stderrIsTerminal)) return;
  const { input_tokens, output_tokens } = run.usage;
  const figures = [
    `${run.pattern}@${run.version}`,
    run.cached ? `${run.model}, an answer that was kept` : run.model,
    `${formatCount(input_tokens)} in, ${formatCount(output_tokens)} out`,
    `cost ${formatCost(run.cost_micros)}`,
    formatDuration(run.total_ms),
    `run ${run.id}`,
  ];
  terminal.note(terminal.paintNote('dim', figures.join(' · ')));
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
