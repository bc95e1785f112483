import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Redaction } from '@damask/contracts/guard.ts';
import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { Written } from '#platform/group-commit.ts';
import { describeAttachments, keepAttachments } from '../conversation/attach.ts';
import type { GuardedResult } from '../guard/guarded-call.ts';
import { redactPayload, redactTexts } from '../guard/redact-run.ts';
import { saidMark, withoutQuote } from '../model/provider-failure.ts';
import { costOf } from '../routing/cost.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import type { EngineParts, Execution, RunConversation, Stop } from './engine.ts';
import { type OutputText, storableText } from './output-text.ts';
import type { Payload } from './payloads.ts';
import { type AcceptedRow, type FinishedRow, type JournalRow, summarizeFinished } from './record.ts';
import type { FormedResult } from './structured-output.ts';

/** Characters of what a provider may have written itself. */
export const longestReason = 100;
export const longestDetail = 1_000;

const unappended =
  'The answer came, but could not be written into the session, so it does not count. The run holds its text.';

const unrecorded =
  'The answer came, but could not be recorded in time, so it does not count. Look the run up before you run it again.';

/** The record of a run's beginning. */
export interface Acceptance {
  /** Rejects when it could not be recorded. */
  readonly recorded: Promise<void>;
  /** Absent where it was committed before the call went out. */
  readonly written: Written<JournalRow> | undefined;
}

/** Commits the end and answers what the client may be told: when that takes too long, a failure, never a success. */
export async function recordEnd(
  parts: EngineParts,
  bare: FinishedRow,
  execution: Execution,
  output: OutputText,
  result: FormedResult,
  { recorded, written: accepted }: Acceptance,
): Promise<FinishedRow> {
  const unstored = bare.texts === 'not_stored';
  const texts = unstored ? null : toPayload(execution, output, result, bare.status);
  const { redact } = execution.plan;
  const clean = redact ? await redactEnd(parts, redact, bare, texts) : { row: bare, payload: texts };
  const { row } = clean;
  const stored = unstored ? withoutTexts(row) : quoteless(row);
  const payload = clean.payload && (await parts.payloads.seal(row, withQuote(clean.payload, row)));
  const written = parts.journal.finish(stored, payload, accepted);
  const failed = (): FinishedRow => ({ ...row, status: 'failed', error_code: 'unrecorded', error_detail: unrecorded });
  return new Promise((resolve) => {
    const giveUp = parts.clock.after(parts.recordWithin, () => {
      const late = failed();
      written.replace({ kind: 'finished', row: late, payload, bytes: payload?.length ?? 0 });
      resolve(late);
    });
    const told = (end: FinishedRow) => {
      giveUp.cancel();
      resolve(end);
    };
    // Not Promise.all, which costs several times as much.
    written.committed
      .then(() => recorded)
      .then(
        () => told(row),
        () => told(failed()),
      );
  });
}

function toPayload(
  { input, variables, kept, plan }: Execution,
  output: OutputText,
  result: FormedResult,
  status: FinishedRow['status'],
): Payload {
  return {
    input,
    variables,
    output: output.text,
    ...kept,
    ...(result.ok && result.tool_calls.length > 0 ? { tool_calls: result.tool_calls } : {}),
    ...(result.data === undefined || status !== 'succeeded' ? {} : { json: true }),
    ...(plan.attachments.length > 0 ? { attachments: keepAttachments(plan.attachments) } : {}),
  };
}

/** The end as it is stored: a provider may have quoted the input in its refusal. Without texts there are none to look through. */
async function redactEnd({ threads }: EngineParts, rules: Redaction, bare: FinishedRow, texts: Payload | null) {
  const { payload = null, ...counts } = texts ? await redactPayload(threads, rules, texts) : {};
  if (bare.error_detail === null) return { row: { ...bare, ...counts }, payload };
  const [error_detail = ''] = await redactTexts(threads, rules, [bare.error_detail]);
  return { row: { ...bare, ...counts, error_detail }, payload };
}

/** The record without what a provider said: that is sealed with the texts. */
export function quoteless(row: FinishedRow): FinishedRow {
  const { error_detail: detail } = row;
  return detail?.includes(saidMark) ? { ...row, error_detail: withoutQuote(detail) } : row;
}

/** The texts with what a provider said of its failure. */
export function withQuote(payload: Payload, { error_detail: detail }: FinishedRow): Payload {
  return detail?.includes(saidMark) ? { ...payload, error_detail: detail } : payload;
}

/** The record of a run whose pattern stores no texts: what failed may quote them, and nothing was taken out of any. */
export function withoutTexts({ redacted: _, ...row }: FinishedRow): FinishedRow {
  return row.error_detail === null
    ? row
    : { ...row, error_detail: 'The pattern stores no texts, and errors may quote them.' };
}

/** A run of a session is a success only with its turns. One that asks for tools is in the middle of its turn. */
export async function appendTurns(
  conversation: RunConversation,
  row: FinishedRow,
  output: OutputText,
): Promise<FinishedRow> {
  if (row.status !== 'succeeded' || row.stop_reason === 'tool_calls') return row;
  try {
    await conversation.append(row.id, output.text);
    return row;
  } catch {
    return { ...row, status: 'failed', stop_reason: null, error_code: 'unavailable', error_detail: unappended };
  }
}

/** Nobody was called: nothing was spent. A call without a verdict before the one that answered: nobody knows. */
export function costOfResult({ attempts, usage, served }: RoutedResult, now: number): number | null {
  if (attempts.length === 0) return 0;
  if (attempts.length > 1 && attempts.some(({ outcome }) => outcome === 'uncertain')) return null;
  return costOf(usage, served.facts.prices, now);
}

/** The end of a run as its call left it. */
export function toFinishedRow(
  parts: EngineParts,
  row: AcceptedRow,
  result: RoutedResult & Pick<GuardedResult, 'flags'>,
  stopped: Stop | undefined,
  output: OutputText,
  totalMs: number,
): FinishedRow {
  // An answer that does not fit is no success, even if it was complete upstream.
  const failure = output.full ? stopped : result.ok ? undefined : (stopped ?? result);
  const status = failure === undefined ? 'succeeded' : failure.code === 'run_cancelled' ? 'cancelled' : 'failed';
  const total = roundMs(totalMs);
  const now = parts.clock.now();
  const first = result.firstOutputMs === null ? null : roundMs(result.firstOutputMs);
  return {
    ...row,
    // What answered, or was asked last; the attempts tell the others.
    model: result.served.name,
    finished_at: new Date(now).toISOString(),
    status,
    stop_reason: result.ok ? storableText(result.stopReason, longestReason) : null,
    ...result.usage,
    cost_micros: costOfResult(result, now),
    first_output_ms: first,
    total_ms: total,
    error_code: failure?.code ?? null,
    error_detail: failure ? storableText(failure.detail, longestDetail) : null,
    attempts: result.attempts,
    sanitised: output.sanitised,
    ...(result.flags ? { flags: result.flags } : {}),
  };
}

/** The run as its caller sees it. */
export function toRun(
  row: FinishedRow,
  { plan, input, variables, kept }: Execution,
  output: OutputText,
  result: FormedResult,
): Run {
  const run: Run = {
    ...summarizeFinished(row),
    attempts: [...row.attempts],
    sanitised: row.sanitised,
    input,
    variables,
    attachments: describeAttachments(keepAttachments(plan.attachments)),
    output: output.text,
    ...(result.ok && result.tool_calls.length > 0 ? { tool_calls: [...result.tool_calls] } : {}),
    ...(result.data === undefined || row.status !== 'succeeded' ? {} : { data: result.data }),
  };
  return kept?.subject === undefined ? run : { ...run, subject: kept.subject };
}

/** The failure of a run as its caller sees it who takes no stream. */
export function toError(row: FinishedRow, result: RoutedResult): AppError {
  return new AppError(row.error_code as ErrorCode, row.error_detail ?? '', {
    runId: row.id,
    ...(!result.ok && result.retryAfterSeconds !== undefined ? { retryAfterSeconds: result.retryAfterSeconds } : {}),
  });
}

export const roundMs = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
