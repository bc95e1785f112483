import type { Usage } from '@damask/contracts/run.ts';
import { type Answer, errorText, tokenCount } from './model-answer.ts';
import { unknownUsage } from './model-call.ts';

interface Choice {
  readonly delta?: Said | null;
  readonly message?: Said | null;
  readonly finish_reason?: unknown;
}
interface Said {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
}

/** Reads a whole answer or one chunk of a stream; false when it is neither. Unknown fields are passed over. */
export function readChatDocument(document: object, answer: Answer): boolean {
  const { choices, usage, error } = document as { choices?: unknown; usage?: unknown; error?: unknown };
  if (error !== undefined && error !== null) {
    answer.fail(isBusy(error) ? 'provider_busy' : 'provider_error', errorText(error));
    return true;
  }
  if (!Array.isArray(choices)) return false;
  if (usage !== undefined && usage !== null) answer.usage = readUsage(usage);
  const choice = choices[0] as Choice | null | undefined;
  if (choice === undefined || choice === null) return true;
  const said = choice.delta ?? choice.message;
  if (said) {
    if (typeof said.content === 'string') answer.text(said.content);
    else if (Array.isArray(said.content)) for (const part of said.content) answer.text((part as Part | null)?.text);
    // A model's own refusal comes beside the content; it is what the model had to say.
    answer.text(said.refusal);
    if (Array.isArray(said.tool_calls)) for (const call of said.tool_calls) readToolCall(call, answer);
  }
  if (typeof choice.finish_reason === 'string')
    answer.stopReason = choice.finish_reason === 'function_call' ? 'tool_calls' : choice.finish_reason;
  return true;
}

interface Part {
  readonly text?: unknown;
}

function readToolCall(call: unknown, answer: Answer): void {
  if (typeof call !== 'object' || call === null) return;
  const { index, id, function: called } = call as { index?: unknown; id?: unknown; function?: Called | null };
  const written = called?.arguments;
  // Some servers of this protocol send the arguments as an object.
  const piece = typeof written === 'object' && written !== null ? JSON.stringify(written) : written;
  answer.tool(index, id, called?.name, piece);
}

interface Called {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

function isBusy(error: unknown): boolean {
  const { code, type } = error as { code?: unknown; type?: unknown };
  return [code, type].some((word) => word === 429 || word === 503 || /rate_limit|overloaded/.test(String(word)));
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
    input_tokens: tokenCount(from.prompt_tokens),
    output_tokens: tokenCount(from.completion_tokens),
    cached_input_tokens: tokenCount(from.prompt_tokens_details?.cached_tokens),
    reasoning_tokens: tokenCount(from.completion_tokens_details?.reasoning_tokens),
  };
}
