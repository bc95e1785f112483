import { ApiError } from './api-error.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** What a model of the AI SDK takes, all but the signal. */
  readonly options: { readonly prompt: readonly object[]; readonly [option: string]: unknown };
}

/** Reads the body of POST /v1/chat/completions as the platform writes it. Throws 400. */
export function readChatRequest(body: unknown): ChatRequest {
  if (!isObject(body) || typeof body.model !== 'string' || !Array.isArray(body.messages)) {
    throw new ApiError(400, 'invalid_request', 'The body needs a model and messages.');
  }
  const toolNames = new Map<string, string>();
  const options: Record<string, unknown> = {
    prompt: body.messages.map((message) => toMessage(message as Fields, toolNames)),
    maxOutputTokens: body.max_tokens ?? body.max_completion_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    seed: body.seed,
    stopSequences: body.stop,
    reasoning: body.reasoning_effort,
    responseFormat: toFormat(body.response_format),
    tools: Array.isArray(body.tools) ? body.tools.map(toTool) : undefined,
    toolChoice: toChoice(body.tool_choice),
  };
  for (const [name, value] of Object.entries(options)) if (value === undefined || value === null) delete options[name];
  return { model: body.model, stream: body.stream === true, options: options as ChatRequest['options'] };
}

function toMessage(message: Fields, toolNames: Map<string, string>): object {
  const { role, content } = message;
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(content) };
    case 'user':
      return { role, content: toParts(content) };
    case 'assistant':
      return { role, content: [...toParts(content), ...toCalls(message.tool_calls, toolNames)] };
    case 'tool': {
      const toolCallId = String(message.tool_call_id);
      const output = { type: 'text', value: textOf(content) };
      const toolName = toolNames.get(toolCallId) ?? 'unknown';
      return { role, content: [{ type: 'tool-result', toolCallId, toolName, output }] };
    }
    default:
      throw new ApiError(400, 'invalid_request', 'A role is system, user, assistant or tool.');
  }
}

function toCalls(calls: unknown, toolNames: Map<string, string>): object[] {
  if (!Array.isArray(calls)) return [];
  return calls.map((call: { id: string; function: { name: string; arguments: string } }) => {
    toolNames.set(call.id, call.function.name);
    return {
      type: 'tool-call',
      toolCallId: call.id,
      toolName: call.function.name,
      input: read(call.function.arguments),
    };
  });
}

function toParts(content: unknown): object[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (content as Fields[]).map((part) => {
    if (part.type === 'text') return { type: 'text', text: String(part.text) };
    const { image_url, file } = part as { image_url?: { url: string }; file?: { filename: string; file_data: string } };
    const [, mediaType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(image_url?.url ?? file?.file_data ?? '') ?? [];
    if (!mediaType) throw new ApiError(400, 'invalid_request', 'A part is text, an image or a file with its data.');
    return { type: 'file', mediaType, data: { type: 'data', data }, ...(file ? { filename: file.filename } : {}) };
  });
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: Fields) => String(part.text ?? '')).join('') : '';
}

function toFormat(format: unknown): object | undefined {
  if (!isObject(format) || format.type === 'text') return undefined;
  const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined;
  return { type: 'json', ...(schema ? { schema, name: 'answer' } : {}) };
}

function toTool(tool: { function: { name: string; description?: string; parameters: object } }): object {
  const { name, description, parameters } = tool.function;
  return { type: 'function', name, ...(description ? { description } : {}), inputSchema: parameters };
}

function toChoice(choice: unknown): object | undefined {
  if (typeof choice === 'string') return { type: choice };
  return isObject(choice) ? { type: 'tool', toolName: (choice.function as { name: string }).name } : undefined;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
