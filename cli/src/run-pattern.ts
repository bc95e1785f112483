import { type CreateRunInput, type Damask, DamaskError, type RenderRunInput, type Run } from '@damask/sdk';
import { formatCost, formatCount, formatDuration } from './figures.ts';
import type { Terminal } from './terminal.ts';
import { writeOutput, writeOutputFile } from './write-output.ts';

export interface RunTarget {
  readonly damask: Damask;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** The file of -o. */
  readonly output: string | undefined;
}

/** Runs and prints the answer when it is complete: a failed run leaves stdout empty. */
export async function runAtOnce(target: RunTarget, input: Omit<CreateRunInput, 'stream'>): Promise<void> {
  const patience = showPatience(target.terminal);
  const run = await target.damask.runs.create(input).finally(patience.end);
  if (target.json) return writeOutput(target.terminal, toJson(run), target.output);
  await writeOutput(target.terminal, run.output ?? '', target.output);
  noteFigures(target.terminal, run);
}

/** Runs and prints the answer as it comes; with --json, each event on a line of its own. */
export async function runStreamed(target: RunTarget, input: Omit<CreateRunInput, 'stream'>): Promise<void> {
  const { terminal, json } = target;
  let lastCharacter = '\n';
  const patience = showPatience(terminal);
  const endLine = async () => {
    if (lastCharacter !== '\n' && !json) await terminal.result('\n');
  };
  try {
    for await (const event of target.damask.runs.stream(input)) {
      if (json) await terminal.result(`${JSON.stringify(event)}\n`);
      if (event.event !== 'run.accepted') patience.end();
      if (event.event === 'output.delta') {
        if (!json) await terminal.result(event.data.text);
        lastCharacter = event.data.text.at(-1) ?? lastCharacter;
      }
      if (event.event === 'run.failed' || event.event === 'run.cancelled') throw failureOf(event.data);
      if (event.event === 'run.succeeded') {
        await endLine();
        writeOutputFile(event.data.output ?? '', target.output);
        if (!json) noteFigures(terminal, event.data);
      }
    }
  } catch (error) {
    await endLine().catch(() => undefined);
    throw error;
  } finally {
    patience.end();
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
export async function renderPreview(target: RunTarget, input: RenderRunInput): Promise<void> {
  const { terminal } = target;
  const preview = await target.damask.render(input);
  if (target.json) return writeOutput(terminal, toJson(preview), target.output);
  const model = preview.model ?? 'no model yet';
  const parameters = Object.entries(preview.parameters).map(([name, value]) => ` ${name}=${value}`);
  terminal.note(
    terminal.paintNote('dim', `${preview.pattern}@${preview.version} ${preview.digest} ${model}${parameters.join('')}`),
  );
  const messages = preview.messages.map(({ role, content }) => `--- ${role}\n${content}`);
  await writeOutput(terminal, messages.join('\n'), target.output);
}

function failureOf(run: Run): DamaskError {
  const code = run.error?.code ?? (run.status === 'cancelled' ? 'run_cancelled' : 'internal');
  const detail = run.error?.detail ?? (run.status === 'cancelled' ? 'The run was cancelled.' : 'The run failed.');
  return new DamaskError(code, detail, { runId: run.id });
}

function noteFigures(terminal: Terminal, run: Run): void {
  if (run.stop_reason === 'length') {
    terminal.note(
      `The answer was cut at ${run.usage.output_tokens ?? 'its limit of'} tokens. Allow more with --max-tokens.`,
    );
  }
  // Only where a person watches: in a pipeline every step would say it.
  if (!terminal.stdoutIsTerminal || !terminal.stderrIsTerminal) return;
  const { input_tokens, output_tokens } = run.usage;
  const figures = [
    `${run.pattern}@${run.version}`,
    run.model,
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
