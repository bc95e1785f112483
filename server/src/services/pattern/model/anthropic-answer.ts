import type { ErrorCode } from '@damask/contracts/errors.ts';
import { type Answer, errorText, tokenCount, tokenSum } from './model-answer.ts';

interface Event {
  readonly type?: unknown;
  readonly index?: unknown;
  readonly message?: { readonly usage?: unknown } | null;
  readonly content_block?: Block | null;
  readonly delta?: Delta | null;
  readonly usage?: unknown;
  readonly error?: unknown;
}
interface Block {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
}
interface Delta {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly partial_json?: unknown;
  readonly stop_reason?: unknown;
}

/** Reads one event of a stream. `byTool`: what the tool is called with is the answer. */
export function readMessageEvent(document: object, answer: Answer, byTool: boolean): void {
  const event = document as Event;
  switch (event.type) {
    case 'content_block_delta':
      if (event.delta?.type === 'text_delta') answer.text(event.delta.text);
      else if (event.delta?.type === 'input_json_delta') {
        if (byTool) answer.text(event.delta.partial_json);
        else answer.tool(event.index, undefined, undefined, event.delta.partial_json);
      }
      return;
    case 'content_block_start':
      if (event.content_block) startBlock(event.content_block, event.index, answer, byTool);
      return;
    case 'message_start':
      if (event.message?.usage) readUsage(event.message.usage, answer);
      return;
    case 'message_delta':
      if (typeof event.delta?.stop_reason === 'string') answer.stopReason = stopReason(event.delta.stop_reason, byTool);
      if (event.usage) readUsage(event.usage, answer);
      return;
    case 'message_stop':
      answer.ended = true;
      return;
    case 'error':
      fail(event.error, answer);
      return;
    case undefined:
      // A proxy's error in place of an event.
      if (event.error !== undefined && event.error !== null) fail(event.error, answer);
  }
}

function startBlock(block: Block, index: unknown, answer: Answer, byTool: boolean): void {
  if (block.type === 'text') answer.text(block.text);
  else if (block.type === 'tool_use' && !byTool) answer.tool(index, block.id, block.name, undefined);
}

/** Reads a whole message; false when it is none. */
export function readMessage(document: object, answer: Answer, byTool: boolean): boolean {
  const { type, content, stop_reason, usage, error } = document as {
    type?: unknown;
    content?: unknown;
    stop_reason?: unknown;
    usage?: unknown;
    error?: unknown;
  };
  if (type === 'error' || (error !== undefined && error !== null)) {
    fail(error, answer);
    return true;
  }
  if (!Array.isArray(content)) return false;
  for (const block of content as readonly (Block | null)[]) {
    if (block?.type === 'text') answer.text(block.text);
    else if (block?.type === 'tool_use') {
      const written = JSON.stringify(block.input ?? {});
      if (byTool) answer.text(written);
      else answer.tool(undefined, block.id, block.name, written);
    }
  }
  if (typeof stop_reason === 'string') answer.stopReason = stopReason(stop_reason, byTool);
  readUsage(usage, answer);
  return true;
}

const stopReasons = new Map<string, string>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]);

function stopReason(said: string, byTool: boolean): string {
  if (byTool && said === 'tool_use') return 'stop';
  return stopReasons.get(said) ?? said;
}

/** Counts come in parts: the input at the start, the output growing with the end. What is read from a cache is not in `input_tokens`. */
function readUsage(usage: unknown, answer: Answer): void {
  if (typeof usage !== 'object' || usage === null) return;
  const from = usage as {
    input_tokens?: unknown;
    output_tokens?: unknown;
    cache_read_input_tokens?: unknown;
    cache_creation_input_tokens?: unknown;
    output_tokens_details?: { thinking_tokens?: unknown } | null;
  };
  const before = answer.usage;
  const written = tokenCount(from.cache_creation_input_tokens) ?? before.cache_write_tokens;
  const told = from.input_tokens !== undefined && from.input_tokens !== null;
  answer.usage = {
    input_tokens: told
      ? tokenCount(from.input_tokens) === null
        ? null
        : tokenSum(from.input_tokens, from.cache_read_input_tokens, from.cache_creation_input_tokens)
      : before.input_tokens,
    output_tokens: from.output_tokens === undefined ? before.output_tokens : tokenCount(from.output_tokens),
    cached_input_tokens:
      from.cache_read_input_tokens === undefined
        ? before.cached_input_tokens
        : tokenCount(from.cache_read_input_tokens),
    reasoning_tokens: tokenCount(from.output_tokens_details?.thinking_tokens) ?? before.reasoning_tokens,
    ...(written ? { cache_write_tokens: written } : {}),
  };
}

const codes = new Map<string, ErrorCode>([
  ['overloaded_error', 'provider_busy'],
  ['rate_limit_error', 'provider_busy'],
  ['authentication_error', 'provider_auth'],
  ['permission_error', 'provider_auth'],
  ['not_found_error', 'model_not_found'],
  ['request_too_large', 'input_too_long'],
]);

function fail(error: unknown, answer: Answer): void {
  const { type } = (error ?? {}) as { type?: unknown };
  answer.fail(codes.get(String(type)) ?? 'provider_error', errorText(error));
}
