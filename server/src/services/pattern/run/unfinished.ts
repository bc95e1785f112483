import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { AcceptedRow, FinishedRow } from './record.ts';

/** The end of a run of which nothing came: it failed with this code. */
export function toUnfinished(row: AcceptedRow, now: number, code: ErrorCode, detail: string): FinishedRow {
  return {
    ...row,
    finished_at: new Date(now).toISOString(),
    status: 'failed',
    stop_reason: null,
    input_tokens: null,
    output_tokens: null,
    cached_input_tokens: null,
    reasoning_tokens: null,
    cost_micros: null,
    first_output_ms: null,
    total_ms: null,
    error_code: code,
    error_detail: detail,
    attempts: [],
    sanitised: false,
  };
}
