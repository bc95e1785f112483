import { type Answer, errorText, tokenCount, tokenSum } from './model-answer.ts';

interface Candidate {
  readonly content?: { readonly parts?: unknown } | null;
  readonly finishReason?: unknown;
}
interface Part {
  readonly text?: unknown;
  readonly thought?: unknown;
  readonly functionCall?: { readonly id?: unknown; readonly name?: unknown; readonly args?: unknown } | null;
}

/** Reads one document, which is a whole answer or a chunk of a stream alike; false when it is neither. */
export function readContent(document: object, answer: Answer): boolean {
  const { candidates, promptFeedback, usageMetadata, error } = document as {
    candidates?: unknown;
    promptFeedback?: { readonly blockReason?: unknown } | null;
    usageMetadata?: unknown;
    error?: unknown;
  };
  if (error !== undefined && error !== null) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    const busy = code === 429 || code === 503 || status === 'RESOURCE_EXHAUSTED' || status === 'UNAVAILABLE';
    answer.fail(busy ? 'provider_busy' : 'provider_error', errorText(error));
    return true;
  }
  if (usageMetadata) readUsage(usageMetadata, answer);
  const blocked = promptFeedback?.blockReason;
  if (typeof blocked === 'string') {
    answer.fail('content_refused', `the prompt was blocked (${blocked})`);
    return true;
  }
  if (!Array.isArray(candidates)) return usageMetadata !== undefined || promptFeedback !== undefined;
  const candidate = candidates[0] as Candidate | null | undefined;
  if (!candidate) return true;
  if (Array.isArray(candidate.content?.parts)) for (const part of candidate.content.parts) readPart(part, answer);
  if (typeof candidate.finishReason === 'string') answer.stopReason = stopReason(candidate.finishReason, answer);
  return true;
}

function readPart(part: unknown, answer: Answer): void {
  const { text, thought, functionCall } = (part ?? {}) as Part;
  if (functionCall) answer.tool(undefined, functionCall.id, functionCall.name, JSON.stringify(functionCall.args ?? {}));
  else if (thought !== true) answer.text(text);
}

const filters = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

function stopReason(said: string, answer: Answer): string {
  if (said === 'STOP') return answer.toolCount > 0 ? 'tool_calls' : 'stop';
  if (said === 'MAX_TOKENS') return 'length';
  return filters.has(said) ? 'content_filter' : said.toLowerCase();
}

/** Thinking is charged as output and counted beside it; what a cache held is part of the prompt's count. */
function readUsage(usage: object, answer: Answer): void {
  const from = usage as {
    promptTokenCount?: unknown;
    toolUsePromptTokenCount?: unknown;
    candidatesTokenCount?: unknown;
    thoughtsTokenCount?: unknown;
    cachedContentTokenCount?: unknown;
  };
  answer.usage = {
    input_tokens:
      tokenCount(from.promptTokenCount) === null ? null : tokenSum(from.promptTokenCount, from.toolUsePromptTokenCount),
    output_tokens: tokenSum(from.candidatesTokenCount, from.thoughtsTokenCount),
    cached_input_tokens: tokenCount(from.cachedContentTokenCount),
    reasoning_tokens: tokenCount(from.thoughtsTokenCount),
  };
}
