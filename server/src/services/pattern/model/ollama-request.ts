import type { Parameters } from '@damask/contracts/parameters.ts';
import { AppError } from '#platform/app-error.ts';
import { argumentsOf, textOf, unsupported } from './content-parts.ts';
import type { ModelMessage, ModelRequest } from './model-call.ts';

export interface OllamaDialect {
  readonly provider: string;
  readonly defaultMaxTokens: number | null;
  /** How long the model stays in memory after the call, such as `10m`; null: Ollama's own choice. */
  readonly keepAlive?: string | null;
  /** Tokens of context that are made room for at most; null: Ollama's own choice, which may cut a long input off unsaid. */
  readonly largestContext?: number | null;
}

/** The body of /api/chat. Throws `attachment_not_supported` for files, `invalid_request` for a tool that must be called. */
export function toOllamaBody(request: ModelRequest, dialect: OllamaDialect): string {
  const { model, messages, parameters, output, stream, tools, tool_choice } = request;
  const { temperature, top_p, presence_penalty, frequency_penalty, seed, stop } = parameters;
  const max_tokens = parameters.max_tokens ?? dialect.defaultMaxTokens;
  const names = new Map<string, string>();
  const body: Record<string, unknown> = {
    model,
    messages: messages.map((message) => toMessage(message, names, dialect.provider)),
    stream,
    options: withoutGaps({
      temperature,
      top_p,
      presence_penalty,
      frequency_penalty,
      seed,
      stop,
      num_predict: max_tokens ?? undefined,
      num_ctx: contextFor(messages, max_tokens, dialect.largestContext ?? null),
    }),
  };
  if (dialect.keepAlive != null) body.keep_alive = dialect.keepAlive;
  if (output !== undefined) body.format = output.schema ?? 'json';
  const think = toThink(model, parameters.reasoning_effort);
  if (think !== undefined) body.think = think;
  if (tools !== undefined && tools.length > 0 && tool_choice !== 'none') {
    if (tool_choice !== undefined && tool_choice !== 'auto') {
      throw new AppError(
        'invalid_request',
        `${dialect.provider} cannot be made to call a tool. Leave tool_choice out.`,
        {
          pointer: '/tool_choice',
        },
      );
    }
    body.tools = tools.map((tool) => ({ type: 'function', function: tool }));
  }
  return JSON.stringify(body);
}

function withoutGaps(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** A step of contexts: each other size makes Ollama load the model again. */
const contextStep = 8_192;
/** Characters of a token, taken low so that the room is enough. */
const charactersOfToken = 3;

function contextFor(
  messages: readonly ModelMessage[],
  maxTokens: number | null,
  largest: number | null,
): number | undefined {
  if (largest === null) return undefined;
  let characters = 0;
  for (const { content } of messages) characters += textOf(content).length;
  const wanted = characters / charactersOfToken + Math.min(maxTokens ?? 1_024, contextStep / 4);
  // Within its standard size Ollama is left alone.
  if (wanted <= contextStep / 2) return undefined;
  return Math.min(largest, Math.ceil(wanted / contextStep) * contextStep);
}

function toThink(model: string, effort: Parameters['reasoning_effort']): boolean | string | undefined {
  if (effort === undefined) return undefined;
  // Only gpt-oss knows levels, and it cannot be kept from thinking.
  if (model.includes('gpt-oss')) return effort === 'none' || effort === 'minimal' ? 'low' : effort;
  return effort !== 'none';
}

function toMessage(message: ModelMessage, names: Map<string, string>, provider: string): object {
  const { role, content, tool_calls, tool_call_id } = message;
  const images: string[] = [];
  for (const part of typeof content === 'string' ? [] : content) {
    if (part.type === 'document') throw unsupported(provider, 'PDF files');
    if (part.type === 'image') images.push(part.data);
  }
  for (const { id, name } of tool_calls ?? []) names.set(id, name);
  return {
    role,
    content: textOf(content),
    ...(images.length === 0 ? {} : { images }),
    ...(tool_call_id === undefined ? {} : { tool_name: names.get(tool_call_id) ?? 'unknown' }),
    ...(tool_calls === undefined || tool_calls.length === 0
      ? {}
      : { tool_calls: tool_calls.map((call) => ({ function: { name: call.name, arguments: argumentsOf(call) } })) }),
  };
}
