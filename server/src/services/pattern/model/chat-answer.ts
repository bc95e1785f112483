import type { Usage } from '@damask/contracts/run.ts';
import { unknownUsage } from './model-call.ts';

/** What one JSON document of the chat protocol said: a whole answer or one chunk of a stream. */
export interface ChatPart {
  readonly text: string;
  readonly stopReason: string | null;
  readonly usage: Usage | null;
  /** The provider reported an error inside an answer that began as a success. */
  readonly error: string | null;
}

/** Counts beyond this are not believed: no model reads or writes so much in one call. */
const plausibleTokens = 100_000_000;

/** Reads an answer or a chunk; null when it is not of the chat protocol. Unknown fields are ignored. */
export function readChatPart(document: unknown): ChatPart | null {
  if (typeof document !== 'object' || document === null) return null;
  const { choices, usage, error } = document as { choices?: unknown; usage?: unknown; error?: unknown };
  if (error !== undefined && error !== null)
    return { text: '', stopReason: null, usage: null, error: errorText(error) };
  if (!Array.isArray(choices)) return null;
  const choice = (choices[0] ?? {}) as { delta?: unknown; message?: unknown; finish_reason?: unknown; text?: unknown };
  const said = (choice.delta ?? choice.message ?? {}) as { content?: unknown; refusal?: unknown };
  return {
    text: contentText(said.content) || contentText(said.refusal),
    stopReason: typeof choice.finish_reason === 'string' ? choice.finish_reason : null,
    usage: usage === undefined || usage === null ? null : readUsage(usage),
    error: null,
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('');
}

/** Token counts of the provider; a count that is missing, negative or absurd is unknown. */
export function readUsage(usage: unknown): Usage {
  if (typeof usage !== 'object' || usage === null) return unknownUsage;
  const from = usage as {
    prompt_tokens?: unknown;
    completion_tokens?: unknown;
    prompt_tokens_details?: { cached_tokens?: unknown } | null;
    completion_tokens_details?: { reasoning_tokens?: unknown } | null;
  };
  return {
    input_tokens: count(from.prompt_tokens),
    output_tokens: count(from.completion_tokens),
    cached_input_tokens: count(from.prompt_tokens_details?.cached_tokens),
    reasoning_tokens: count(from.completion_tokens_details?.reasoning_tokens),
  };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= plausibleTokens ? value : null;
}

export function errorText(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message, error: nested } = (error ?? {}) as { message?: unknown; error?: unknown };
  if (typeof message === 'string') return message;
  return nested === undefined ? 'no reason given' : errorText(nested);
}
