import { DamaskError, type Run } from '@damask/sdk';
import { cellsBeside } from './cells-beside.ts';
import type { ServerAccess } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { formatCost, formatCount, formatDuration } from './figures.ts';
import { shortRunId } from './run-id.ts';
import type { RunCalls, RunTarget } from './run-pattern.ts';
import { renderTable } from './table.ts';
import { printable, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { waitForModel } from './wait-for-model.ts';
import { endLine, writeOutputFile } from './write-output.ts';

/** One model's part of a comparison; exactly one of the two is there. */
interface Outcome {
  readonly model: string;
  readonly run?: Run;
  readonly error?: DamaskError;
}

interface Comparable {
  readonly session?: string | undefined;
  readonly idempotency_key?: string | undefined;
}

const most = 8;
/** Narrower columns break nearly every line of prose. */
const leastColumn = 36;

/** Runs the same input on each model at once and shows figures and answers. Resolves to the exit code. */
export async function compareModels<Input extends Comparable>(
  target: RunTarget<Input>,
  access: ServerAccess,
  models: readonly string[],
  input: Input,
): Promise<number> {
  const { terminal, flags } = target;
  refuse(target, models, input);
  let done = 0;
  const tell = () => terminal.status(`${done} of ${models.length} models have answered`);
  tell();
  const others = new AbortController();
  const runOne = async (model: string): Promise<Outcome> => {
    const perform = () => runOn(target.calls, { ...input, model }, others.signal);
    const outcome = await waitForModel(access, terminal, perform).then(
      (run) => ({ model, run }),
      (error: unknown) => {
        if (error instanceof DamaskError && !endsAll.has(error.code)) return { model, error };
        // What the person has to mend first ends the comparison, as it ends a run.
        others.abort(error);
        throw error;
      },
    );
    done += 1;
    tell();
    return outcome;
  };
  const outcomes = await Promise.all(models.map(runOne));
  terminal.status('');
  const text = flags.json ? JSON.stringify(outcomes.map(toJson), null, 2) : sections(outcomes, (_, title) => title);
  writeOutputFile(text, flags.output);
  if (flags.json) await terminal.print(text);
  else await show(terminal, outcomes);
  return outcomes.every(({ run }) => run?.status === 'succeeded') ? exitCodes.ok.code : exitCodes.failed.code;
}

function refuse({ copy, flags }: RunTarget<never>, models: readonly string[], input: Comparable): void {
  if (models.length > most)
    throw new UsageError(`${models.length} models are too many to compare: name ${most} at most.`);
  if ((flags as { 'dry-run'?: boolean })['dry-run']) throw new UsageError('--dry-run takes one model: nothing is run.');
  if (copy) throw new UsageError('-c copies one answer. Name one model, or write all of them with -o <file>.');
  if (input.idempotency_key !== undefined)
    throw new UsageError('An idempotency key is that of one run. Name one model for it.');
  if (input.session !== undefined) throw new UsageError('A session goes on with one answer. Name one model for it.');
}

async function runOn<Input>(calls: RunCalls<Input>, input: Input, signal: AbortSignal): Promise<Run> {
  // A stream, because only there the time to the first output is that of the model.
  for await (const event of calls.stream(input, { signal })) {
    if (event.event === 'run.succeeded' || event.event === 'run.failed' || event.event === 'run.cancelled')
      return event.data;
  }
  throw new DamaskError('truncated', 'The stream ended before the run did.', {});
}

const endsAll: ReadonlySet<string> = new Set([
  'unreachable',
  'unexpected_response',
  'unauthenticated',
  'forbidden',
  'not_found',
  'missing_variable',
  'invalid_variable',
  'invalid_request',
  'capability_disabled',
]);

async function show(terminal: Terminal, outcomes: readonly Outcome[]): Promise<void> {
  const { width } = terminal;
  await terminal.print(`${figures(terminal, outcomes)}\n`);
  const column = width === undefined ? 0 : Math.floor((width + 3) / outcomes.length) - 3;
  const paint = (_: Outcome, title: string) => terminal.paint('bold', title);
  if (column < leastColumn) return terminal.print(sections(outcomes, paint).trimEnd());
  const cells = outcomes.map((outcome) => `${outcome.model}\n\n${answerOf(outcome)}`);
  await terminal.print(cellsBeside(cells, column, terminal.paint('dim', ' │ ')));
}

function figures(terminal: Terminal, outcomes: readonly Outcome[]): string {
  return renderTable(
    [
      { title: 'MODEL', least: 12 },
      { title: 'STATUS', least: 9 },
      { title: 'FIRST', right: true },
      { title: 'TOTAL', right: true },
      { title: 'IN', right: true, drop: 2 },
      { title: 'OUT', right: true, drop: 2 },
      { title: 'COST', right: true, drop: 3 },
      { title: 'RUN', drop: 1 },
    ],
    outcomes.map(({ model, run, error }) => [
      { text: run?.model ?? model, style: 'cyan' },
      run?.status === 'succeeded'
        ? { text: run.status, style: 'green' }
        : { text: run?.error?.code ?? error?.code ?? run?.status ?? 'failed', style: 'red' },
      formatDuration(run?.first_output_ms ?? null),
      formatDuration(run?.total_ms ?? null),
      formatCount(run?.usage.input_tokens ?? null),
      formatCount(run?.usage.output_tokens ?? null),
      run ? formatCost(run.cost_micros) : '-',
      run ? (terminal.width === undefined ? run.id : shortRunId(run.id)) : (error?.runId ?? '-'),
    ]),
    terminal.width,
    (style, text) => terminal.paint(style, text),
  );
}

function sections(outcomes: readonly Outcome[], title: (outcome: Outcome, text: string) => string): string {
  return outcomes
    .map((outcome) => `${title(outcome, `--- ${outcome.model}`)}\n${endLine(answerOf(outcome))}`)
    .join('\n');
}

function answerOf({ run, error }: Outcome): string {
  const failure = run?.error ?? error;
  const why = failure ? `(${failure.code}: ${failure.detail})` : '';
  return printable([run?.output ?? '', why].filter(Boolean).join('\n')).trimEnd();
}

function toJson({ model, run, error }: Outcome): object {
  return run ?? { model, status: 'failed', error: { code: error?.code, detail: error?.detail }, run_id: error?.runId };
}
