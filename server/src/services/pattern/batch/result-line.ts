import type { RunFlag } from '@damask/contracts/guard.ts';
import type { TextsGone } from '@damask/contracts/run.ts';
import type { RunEndRow } from './line-store.ts';

/** What a line came to. */
export interface ResultLine {
  readonly line: number;
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'rejected';
  /** Of a failed line: what came until then. */
  readonly output: string | null;
  readonly data?: unknown;
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly run: string | null;
  /** The earlier line whose answer it shares. */
  readonly same_as?: number;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  /** Of a shared answer 0. */
  readonly cost_micros: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** What checks found in the output; there where they found something. */
  readonly flags?: readonly RunFlag[];
  /** Why there is no output. */
  readonly texts?: TextsGone;
}

const columns = [
  'line',
  'status',
  'output',
  'error_code',
  'error_detail',
  'run',
  'same_as',
  'model',
  'input_tokens',
  'output_tokens',
  'cost_micros',
  'metadata',
  'texts',
  'flags',
] as const;

export const resultHeader = `${columns.join(',')}\r\n`;

/** One line of CSV. Texts that a spreadsheet would take for a formula get an apostrophe in front (OWASP, CSV injection). */
export function toCsvLine(result: ResultLine): string {
  const { error, same_as = null, metadata, flags = [], texts = null, ...rest } = result;
  const row: Record<(typeof columns)[number], unknown> = {
    ...rest,
    error_code: error?.code ?? null,
    error_detail: error?.detail ?? null,
    same_as,
    texts,
    metadata: Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : null,
    flags: flags.length > 0 ? flags.map(({ check, found }) => `${check}:${found}`).join(' ') : null,
  };
  return `${columns.map((name) => toCell(row[name])).join(',')}\r\n`;
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const safe = /^[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toJsonLine(result: ResultLine): string {
  return `${JSON.stringify(result)}\n`;
}

/** What stays of a run's end beside its texts. */
export function factsOf(end: RunEndRow | undefined, shared: boolean) {
  return {
    error:
      end === undefined || end.error_code === null ? null : { code: end.error_code, detail: end.error_detail ?? '' },
    model: end?.model ?? null,
    input_tokens: shared ? 0 : (end?.input_tokens ?? null),
    output_tokens: shared ? 0 : (end?.output_tokens ?? null),
    cost_micros: shared ? 0 : (end?.cost_micros ?? null),
    ...(end?.flags ? { flags: end.flags } : {}),
  };
}
