import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { ToolCall } from '@damask/contracts/message.ts';
import { type ModelUsage, unknownUsage } from './model-call.ts';

/** Counts beyond this are not believed: no model reads or writes so much in one call. */
const plausibleTokens = 100_000_000;
const mostToolCalls = 128;

/** What the provider itself reported as wrong inside an answer that began as a success. */
export interface Reported {
  readonly code: ErrorCode;
  /** Its own words, not redacted. */
  readonly said: string;
}

/** What one answer has said so far. A protocol reads documents into it; the exchange looks at it when the answer ends. */
export class Answer {
  /** Of the common vocabulary; null until the provider has said it. */
  stopReason: string | null = null;
  /** The provider's own last event came: nothing after it counts. */
  ended = false;
  reported: Reported | undefined;
  spoke = false;
  /** Pieces of text so far, and the last of them. */
  pieces = 0;
  lastPiece = '';
  usage: ModelUsage = unknownUsage;
  readonly #say: (text: string) => void;
  #tools: { id: string; name: string; arguments: string }[] | undefined;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  text(piece: unknown) {
    if (typeof piece !== 'string' || piece === '') return;
    this.spoke = true;
    this.pieces += 1;
    this.lastPiece = piece;
    this.#say(piece);
  }

  /** A piece of the tool call at `index`; its parts may come one by one. */
  tool(index: unknown, id: unknown, name: unknown, piece: unknown) {
    this.#tools ??= [];
    const at = typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : this.#tools.length;
    if (at >= mostToolCalls) {
      this.fail('provider_protocol_error', `more than ${mostToolCalls} tool calls`);
      return;
    }
    while (this.#tools.length <= at) this.#tools.push({ id: '', name: '', arguments: '' });
    const call = this.#tools[at] as { id: string; name: string; arguments: string };
    if (typeof id === 'string' && id !== '') call.id = id;
    if (typeof name === 'string' && name !== '') call.name = name;
    if (typeof piece === 'string') call.arguments += piece;
  }

  fail(code: ErrorCode, said: string) {
    this.reported ??= { code, said };
  }

  /** The tool calls that have a name; one without an id gets one of its place. */
  get toolCalls(): readonly ToolCall[] {
    if (this.#tools === undefined) return noCalls;
    const named = this.#tools.filter((call) => call.name !== '');
    return named.map((call, at) => ({
      ...call,
      id: call.id || `${ownCallId}${at}`,
      arguments: call.arguments || '{}',
    }));
  }

  get toolCount(): number {
    return this.#tools?.length ?? 0;
  }

  /** Counts of 0 where something was read or said are unknown, not free. */
  get believedUsage(): ModelUsage {
    const { usage } = this;
    const input_tokens = usage.input_tokens === 0 ? null : usage.input_tokens;
    const output_tokens = usage.output_tokens === 0 && (this.spoke || this.toolCount > 0) ? null : usage.output_tokens;
    if (input_tokens === usage.input_tokens && output_tokens === usage.output_tokens) return usage;
    return { ...usage, input_tokens, output_tokens };
  }
}

const noCalls: readonly ToolCall[] = [];

/** Begins the ids that we give where the provider gives none; such a one is not sent back. */
export const ownCallId = 'call_damask_';

/** A token count of the provider; null when it is missing, negative or absurd. */
export function tokenCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= plausibleTokens ? value : null;
}

/** The sum of counts of which some may be absent; null when one is there and not believed, or none is there. */
export function tokenSum(...values: readonly unknown[]): number | null {
  let sum: number | null = null;
  for (const value of values) {
    if (value === undefined || value === null) continue;
    const count = tokenCount(value);
    if (count === null) return null;
    sum = (sum ?? 0) + count;
  }
  return sum;
}

/** The provider's words in an error document, however deep they lie. */
export function errorText(error: unknown): string {
  let inner = error;
  for (let depth = 0; depth < 4; depth++) {
    if (typeof inner === 'string') return inner;
    const { message, error: nested } = (inner ?? {}) as { message?: unknown; error?: unknown };
    if (typeof message === 'string') return message;
    inner = nested;
  }
  return 'no reason given';
}
