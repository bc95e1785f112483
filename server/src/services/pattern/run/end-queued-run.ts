import type { ToolCall } from '@damask/contracts/message.ts';
import type { Run } from '@damask/contracts/run.ts';
import { addCounts, type FoundCounts } from '#platform/redact/redactor.ts';
import { describeAttachments, keepAttachments } from '../conversation/attach.ts';
import { readAttachments } from '../conversation/read-attachments.ts';
import type { StoredAttachment } from '../conversation/turn-text.ts';
import type { RunEnd } from '../engine/ports.ts';
import { redactPayload } from '../guard/redact-run.ts';
import type { EngineParts } from './engine.ts';
import { longestDetail, longestReason, quoteless, withoutTexts, withQuote } from './finish-run.ts';
import { storableText } from './output-text.ts';
import type { Payload } from './payloads.ts';
import type { QueuedRequest } from './queued-request.ts';
import { type AcceptedRow, type FinishedRow, summarizeFinished } from './record.ts';
import { keptOf } from './start-request.ts';
import { bareJson } from './structured-output.ts';

/** What the engine does not keep of a run's own call. */
export interface EndDetails {
  readonly toolCalls?: readonly ToolCall[];
  readonly cachedFrom?: string | undefined;
  /** How often what was taken out of answers before. */
  readonly redacted?: FoundCounts;
}

/** The end of a queued run as it is stored, and as it is told. */
export interface SealedEnd {
  readonly row: FinishedRow;
  readonly payload: Buffer | null;
  toRun(): Run;
}

/** Turns an end into its record. Without the request (it could not be opened) no texts are kept. */
export async function sealEnd(
  { payloads, clock, process, threads }: Pick<EngineParts, 'payloads' | 'clock' | 'process' | 'threads'>,
  accepted: AcceptedRow,
  request: QueuedRequest | null,
  end: RunEnd,
  { toolCalls = [], cachedFrom, redacted = {} }: EndDetails = {},
): Promise<SealedEnd> {
  const bare = toFinished(accepted, process, clock.now(), end, cachedFrom);
  const whole = request && (await toPayload(request, end, toolCalls));
  const rules = request?.redact;
  const clean = rules && whole ? await redactPayload(threads, rules, whole) : undefined;
  const payload = clean?.payload ?? whole;
  const row = clean ? { ...bare, redacted: addCounts(clean.redacted, redacted) } : bare;
  const calls = payload?.tool_calls ?? [];
  const data = rules ? (payload?.json ? (JSON.parse(bareJson(payload.output)) as unknown) : undefined) : end.data;
  await payloads.ready(row.workspace);
  const unstored = row.texts === 'not_stored';
  return {
    row: unstored ? withoutTexts(row) : quoteless(row),
    payload: payload && !unstored ? await payloads.seal(row, withQuote(payload, row)) : null,
    toRun: () => ({
      ...summarizeFinished(row),
      attempts: [...row.attempts],
      sanitised: row.sanitised,
      input: payload?.input ?? null,
      variables: payload?.variables ?? {},
      attachments: describeAttachments(payload?.attachments),
      output: payload?.output ?? null,
      ...(calls.length > 0 ? { tool_calls: [...calls] } : {}),
      ...(data === undefined ? {} : { data }),
      ...(payload?.subject === undefined ? {} : { subject: payload.subject }),
    }),
  };
}

function toFinished(
  accepted: AcceptedRow,
  process: string,
  now: number,
  end: RunEnd,
  cachedFrom: string | undefined,
): FinishedRow {
  return {
    ...accepted,
    process,
    ...(cachedFrom === undefined ? {} : { cached_from: cachedFrom }),
    // What answered, or was asked last; where nothing was called, what would have been.
    model: end.model || accepted.model,
    finished_at: new Date(now).toISOString(),
    status: end.status,
    stop_reason: end.stop_reason === null ? null : storableText(end.stop_reason, longestReason),
    ...end.usage,
    cost_micros: end.cost_micros,
    first_output_ms: end.first_output_ms,
    total_ms: end.total_ms,
    error_code: end.error?.code ?? null,
    error_detail: end.error && storableText(end.error.detail, longestDetail),
    attempts: end.attempts,
    sanitised: end.sanitised,
    ...(end.flags ? { flags: end.flags } : {}),
  };
}

async function toPayload(
  { request, chain }: QueuedRequest,
  end: RunEnd,
  toolCalls: readonly ToolCall[],
): Promise<Payload> {
  const attachments: readonly StoredAttachment[] = request.attachments
    ? keepAttachments(await readAttachments(request.attachments))
    : [];
  return {
    input: request.input,
    variables: request.variables ?? {},
    output: end.output,
    ...keptOf(request),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
    // A chain whose answer is a text within its data answers that text, which is no JSON.
    ...(end.data === undefined || (chain && typeof end.data === 'string') ? {} : { json: true }),
    ...(attachments.length > 0 ? { attachments } : {}),
  };
}
