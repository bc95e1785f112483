import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { RunFlag } from '@damask/contracts/guard.ts';
import type { DataClass } from '@damask/contracts/pattern-settings.ts';
import type { Attempt, RunPriority, RunQueue, RunStatus, RunSummary, TextsGone } from '@damask/contracts/run.ts';

/** A row of `pattern.accepted`, in the names of its columns. Times are RFC 3339. */
export interface AcceptedRow {
  readonly workspace: string;
  readonly id: string;
  readonly process: string;
  readonly accepted_at: string;
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly environment: string | null;
  readonly label: string | null;
  readonly strategy: string | null;
  readonly context: string | null;
  readonly session: string | null;
  readonly language: string | null;
  readonly model: string;
  readonly stream: boolean;
  readonly actor: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** HMAC of the end user's name; this and what follows is left out of most runs. */
  readonly subject?: string | null;
  readonly rerun_of?: string | null;
  /** The run whose answer was taken from the cache. */
  readonly cached_from?: string | null;
  readonly batch?: string | null;
  /** Null: internal. */
  readonly data_class?: DataClass | null;
  /** Why no texts are kept with it. */
  readonly texts?: TextsGone | null;
}

/** In place of a process where none executes the run yet: nobody ends it because a process died. */
export const nobody = '00000000-0000-0000-0000-000000000000';

/** A row of `pattern.finished` without its payload. */
export interface FinishedRow extends AcceptedRow {
  readonly finished_at: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly stop_reason: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cost_micros: number | null;
  readonly first_output_ms: number | null;
  readonly total_ms: number | null;
  readonly error_code: ErrorCode | null;
  readonly error_detail: string | null;
  readonly attempts: readonly Attempt[];
  readonly sanitised: boolean;
  /** What checks found in the answer; this and what follows is left out of most runs. */
  readonly flags?: readonly RunFlag[] | null;
  /** How often what was taken out of the stored texts. */
  readonly redacted?: Readonly<Record<string, number>> | null;
}

/** What the journal writes. `bytes` is roughly what the row costs, with its payload. */
export type JournalRow =
  | { readonly kind: 'accepted'; readonly row: AcceptedRow; readonly bytes: number }
  | { readonly kind: 'finished'; readonly row: FinishedRow; readonly payload: Buffer | null; readonly bytes: number };

const nothingUsed = { input_tokens: null, output_tokens: null, cached_input_tokens: null, reasoning_tokens: null };

/** What lists show of a run that has ended. */
export function summarizeFinished(row: FinishedRow): RunSummary {
  return {
    ...shared(row, row.status),
    finished_at: row.finished_at,
    stop_reason: row.stop_reason,
    usage: {
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      cached_input_tokens: row.cached_input_tokens,
      reasoning_tokens: row.reasoning_tokens,
    },
    cost_micros: row.cost_micros,
    first_output_ms: row.first_output_ms,
    total_ms: row.total_ms,
    error: row.error_code === null ? null : { code: row.error_code, detail: row.error_detail ?? '' },
    ...(row.flags ? { flags: [...row.flags] } : {}),
    ...(row.redacted ? { redacted: row.redacted } : {}),
  };
}

/** Where a queued run stands, in the names of the columns of `pattern.task`. */
export interface TaskFacts {
  readonly state: 'queued' | 'running' | 'waiting';
  readonly lane: RunPriority;
  /** RFC 3339; null: not before somebody decides. */
  readonly ready_at: string | null;
  readonly deadline: string | null;
  readonly deliveries: number;
  readonly why: string | null;
}

/** What lists show of a run that has not ended; `task` is there where it is queued. */
export function summarizeAccepted(row: AcceptedRow, task?: TaskFacts): RunSummary {
  const summary = summarizeOpen(row, task?.state ?? 'running');
  return task ? { ...summary, queue: toQueue(task) } : summary;
}

function toQueue({ lane, ready_at, deadline, deliveries, why }: TaskFacts): RunQueue {
  return { priority: lane, ready_at, deadline, deliveries, why };
}

function summarizeOpen(row: AcceptedRow, status: RunStatus): RunSummary {
  return {
    ...shared(row, status),
    finished_at: null,
    stop_reason: null,
    usage: nothingUsed,
    cost_micros: null,
    first_output_ms: null,
    total_ms: null,
    error: null,
  };
}

function shared(row: AcceptedRow, status: RunStatus) {
  const told = {
    id: row.id,
    status,
    pattern: row.pattern,
    version: row.version,
    digest: row.digest,
    environment: row.environment,
    label: row.label,
    strategy: row.strategy,
    context: row.context,
    session: row.session,
    language: row.language,
    model: row.model,
    stream: row.stream,
    actor: row.actor,
    metadata: row.metadata,
    data_class: row.data_class ?? 'internal',
    accepted_at: row.accepted_at,
    currency: 'USD' as const,
  };
  return row.rerun_of || row.cached_from || row.batch || row.texts ? { ...told, ...origin(row) } : told;
}

/** Where a run came from that did not start from nothing, and why it has no texts. */
function origin({ rerun_of, cached_from, batch, texts }: AcceptedRow) {
  return {
    ...(texts ? { texts } : {}),
    ...(batch ? { batch } : {}),
    ...(rerun_of ? { rerun_of } : {}),
    ...(cached_from ? { cached: true as const, cached_from } : {}),
  };
}
