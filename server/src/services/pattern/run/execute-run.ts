import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { ModelCall, ModelResult } from '../model/model-call.ts';
import type { ModelRoute } from '../model/model-router.ts';
import { costOf } from './cost.ts';
import type { Journal } from './journal.ts';
import type { LiveRuns } from './live-runs.ts';
import { createOutputText, type OutputText, storableText } from './output-text.ts';
import type { Payloads } from './payloads.ts';
import type { RunPlan } from './plan-run.ts';
import { type AcceptedRow, type FinishedRow, summarizeFinished } from './record.ts';
import { createRunStream } from './run-stream.ts';

export interface EngineParts {
  readonly journal: Journal;
  readonly live: LiveRuns;
  readonly payloads: Payloads;
  readonly clock: Clock;
  /** Id of this process's life, for taking over what it leaves when it dies. */
  readonly process: string;
  /** Milliseconds that an answer waits for its record before the run is told to be unrecorded. */
  readonly recordWithin: number;
  /** Milliseconds that a stream waits for a reader that takes nothing. */
  readonly readerWithin: number;
  readonly observe: (row: FinishedRow) => void;
  /** What the record says of a run that began at `started`, should others have ended it in the meantime. */
  readonly confirm: (row: FinishedRow, started: number) => FinishedRow | Promise<FinishedRow>;
}

export interface Execution {
  readonly plan: RunPlan;
  readonly route: ModelRoute;
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly strategy: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly onDisconnect: 'cancel' | 'continue';
  readonly timeoutMs: number;
}

interface Stop {
  readonly code: ErrorCode;
  readonly detail: string;
}

/**
 * Calls the model and records the run. The acceptance is committed while the call is on its way; nothing that names
 * the run leaves before that, and the last byte leaves after the end is committed.
 */
export async function executeRun(parts: EngineParts, context: CallContext, execution: Execution): Promise<Run> {
  const { journal, live, clock } = parts;
  await parts.payloads.ready(context.workspace);
  // Nothing is waited for from here until the run is among the live ones: a drain that begins must see it.
  journal.admit();
  live.admit();
  const started = clock.monotonic();
  const row = toAcceptedRow(parts, context, execution);
  const accepted = journal.accept(row);
  const output = createOutputText();
  const stream = context.sink ? createRunStream(context.sink, row, output) : undefined;

  let stopped: Stop | undefined;
  let pausing = false;
  const call: ModelCall = execution.route.port.call({
    model: execution.route.model,
    messages: execution.plan.messages,
    parameters: execution.plan.parameters,
    stream: stream !== undefined,
    timeoutMs: execution.timeoutMs,
    onText: (text) => {
      const fit = output.push(text);
      if (!stream || stream.take(fit)) return true;
      if (!pausing) void waitForReader();
      return false;
    },
  });
  const stop = (code: ErrorCode, detail: string) => {
    stopped ??= { code, detail };
    call.abort(code, detail);
  };
  const waitForReader = async () => {
    pausing = true;
    const late = clock.after(parts.readerWithin, () =>
      stop('slow_consumer', 'The client took nothing for too long. Read the stream faster, or ask without stream.'),
    );
    await stream?.drained();
    late.cancel();
    pausing = false;
    call.resume();
  };
  const leave = () => {
    const { reason } = context.signal;
    stop('run_cancelled', reason instanceof AppError ? reason.message : 'The client left.');
  };
  if (execution.onDisconnect === 'cancel') {
    if (context.signal.aborted) leave();
    else context.signal.addEventListener('abort', leave, { once: true });
  }
  const running = { row, stop };
  live.add(running);
  try {
    const recorded = accepted.committed.then(
      () => stream?.open(),
      (error: unknown) => {
        stop('unrecorded', 'The run could not be recorded.');
        throw error;
      },
    );
    // Awaited below together with the end; without a listener here a rejection in between would be unhandled.
    recorded.catch(() => undefined);
    const result = await call.done;
    const rest = output.end();
    const finished = toFinishedRow(parts, row, execution, result, stopped, output, clock.monotonic() - started);
    const told = await parts.confirm(await record(parts, finished, execution, output, recorded), started);
    parts.observe(told);
    const run = toRun(told, execution, output);
    // Who takes nothing would not take the end either, which holds the whole text once more: that connection is closed.
    if (stream?.opened && told.error_code !== 'slow_consumer') {
      stream.close(rest, run);
      return run;
    }
    stream?.giveUp();
    if (told.status === 'succeeded') return run;
    throw toError(told, result);
  } finally {
    context.signal.removeEventListener('abort', leave);
    live.remove(running);
  }
}

/** Commits the end and answers what the client may be told: when that takes too long, a failure, never a success. */
async function record(
  parts: EngineParts,
  row: FinishedRow,
  execution: Execution,
  output: OutputText,
  recorded: Promise<void>,
): Promise<FinishedRow> {
  const payload = await parts.payloads.seal(row, {
    input: execution.input,
    variables: execution.variables,
    output: output.text,
  });
  const written = parts.journal.finish(row, payload);
  const failed = (): FinishedRow => ({ ...row, status: 'failed', error_code: 'unrecorded', error_detail: unrecorded });
  return new Promise((resolve) => {
    const giveUp = parts.clock.after(parts.recordWithin, () => {
      const late = failed();
      written.replace({ kind: 'finished', row: late, payload, bytes: payload.length });
      resolve(late);
    });
    Promise.all([recorded, written.committed]).then(
      () => {
        giveUp.cancel();
        resolve(row);
      },
      () => {
        giveUp.cancel();
        resolve(failed());
      },
    );
  });
}

/** Characters of what a provider may have written itself. */
const longestReason = 100;
const longestDetail = 1_000;

const unrecorded =
  'The answer came, but could not be recorded in time, so it does not count. Look the run up before you run it again.';

function toAcceptedRow(
  parts: EngineParts,
  context: CallContext,
  { plan, route, strategy, metadata }: Execution,
): AcceptedRow {
  return {
    workspace: context.workspace,
    id: parts.clock.uuid(),
    process: parts.process,
    accepted_at: new Date(parts.clock.now()).toISOString(),
    pattern: plan.pattern,
    version: plan.version.number,
    digest: plan.version.digest,
    environment: plan.environment,
    label: plan.label,
    strategy,
    model: route.name,
    stream: context.sink !== undefined,
    actor: context.actor.id,
    metadata,
  };
}

function toFinishedRow(
  parts: EngineParts,
  row: AcceptedRow,
  { route }: Execution,
  result: ModelResult,
  stopped: Stop | undefined,
  output: OutputText,
  totalMs: number,
): FinishedRow {
  const failure = result.ok ? undefined : (stopped ?? result);
  const status = failure === undefined ? 'succeeded' : failure.code === 'run_cancelled' ? 'cancelled' : 'failed';
  const total = round(totalMs);
  const first = result.firstOutputMs === null ? null : round(result.firstOutputMs);
  // Whether the provider finished and charged a call that was cut off here is not known.
  const uncertain = failure?.code === 'interrupted' || failure?.code === 'timeout';
  return {
    ...row,
    finished_at: new Date(parts.clock.now()).toISOString(),
    status,
    stop_reason: result.ok ? storableText(result.stopReason, longestReason) : null,
    ...result.usage,
    cost_micros: costOf(result.usage, route.price),
    first_output_ms: first,
    total_ms: total,
    error_code: failure?.code ?? null,
    error_detail: failure ? storableText(failure.detail, longestDetail) : null,
    attempts: [
      {
        number: 1,
        model: route.name,
        outcome: uncertain ? 'uncertain' : status,
        code: failure?.code ?? null,
        provider_status: result.status,
        first_output_ms: first,
        total_ms: total,
      },
    ],
    sanitised: output.sanitised,
  };
}

function toRun(row: FinishedRow, { input, variables }: Execution, output: OutputText): Run {
  return {
    ...summarizeFinished(row),
    attempts: [...row.attempts],
    sanitised: row.sanitised,
    input,
    variables,
    output: output.text,
  };
}

function toError(row: FinishedRow, result: ModelResult): AppError {
  return new AppError(row.error_code as ErrorCode, row.error_detail ?? '', {
    runId: row.id,
    ...(!result.ok && result.retryAfterSeconds !== undefined ? { retryAfterSeconds: result.retryAfterSeconds } : {}),
  });
}

const round = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
