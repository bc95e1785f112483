import { isStrictSchema, withFormInstruction } from './answer-form.ts';
import { unsupported } from './content-parts.ts';
import type { ContentPart, ModelMessage, ModelRequest, OutputForm, ToolChoice } from './model-call.ts';

export interface ChatDialect {
  /** For messages: `openai`. */
  readonly provider: string;
  /** OpenAI's own newer models take only `max_completion_tokens`; others know only `max_tokens`. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** Sent where nobody set one, so that no input can make a model write without end; null: the server has its own. */
  readonly defaultMaxTokens: number | null;
  /** How an answer's form is asked for: by its schema, as some JSON and in words, or in words alone where the server refuses more. */
  readonly forms?: 'native' | 'object' | 'words';
  /** Whether PDF files are taken, which only OpenAI itself is known for. */
  readonly documents?: boolean;
}

/** The body of a chat completion. Throws `attachment_not_supported`. */
export function toChatBody(request: ModelRequest, dialect: ChatDialect): string {
  const { model, output, stream, tools } = request;
  const { max_tokens = dialect.defaultMaxTokens, ...rest } = request.parameters;
  const { forms = 'native' } = dialect;
  const asksObject = output !== undefined && isObjectForm(output);
  const bySchema = forms === 'native' && asksObject && output.schema !== undefined;
  // Without a schema the word JSON must stand in the messages, or OpenAI refuses.
  const told = output !== undefined && !bySchema;
  const messages = told ? withFormInstruction(request.messages, output) : request.messages;
  const body: Record<string, unknown> = {
    model,
    messages: messages.every(isPlain) ? messages : messages.map((message) => toChatMessage(message, dialect)),
    ...rest,
  };
  if (max_tokens !== null) body[dialect.maxTokensField] = max_tokens;
  if (bySchema) body.response_format = toResponseFormat(output?.schema as object);
  else if (asksObject && forms !== 'words') body.response_format = { type: 'json_object' };
  if (tools !== undefined && tools.length > 0) {
    body.tools = tools.map((tool) => ({ type: 'function', function: tool }));
    if (request.tool_choice !== undefined) body.tool_choice = toToolChoice(request.tool_choice);
  }
  if (stream) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  return JSON.stringify(body);
}

function isPlain({ content, tool_calls }: ModelMessage): boolean {
  return typeof content === 'string' && tool_calls === undefined;
}

function toChatMessage(message: ModelMessage, dialect: ChatDialect): object {
  const { role, content, tool_calls, tool_call_id } = message;
  const parts = typeof content === 'string' ? content : content.map((part) => toPart(part, dialect));
  return {
    role,
    content: parts.length === 0 && tool_calls ? null : parts,
    ...(tool_call_id === undefined ? {} : { tool_call_id }),
    ...(tool_calls === undefined || tool_calls.length === 0
      ? {}
      : {
          tool_calls: tool_calls.map(({ id, name, arguments: written }) => ({
            id,
            type: 'function',
            function: { name, arguments: written },
          })),
        }),
  };
}

function toPart(part: ContentPart, { provider, documents }: ChatDialect): object {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const url = `data:${part.media_type};base64,${part.data}`;
  if (part.type === 'image') return { type: 'image_url', image_url: { url } };
  if (!documents) throw unsupported(provider, 'PDF files');
  return { type: 'file', file: { filename: part.name, file_data: url } };
}

/** Nothing but objects can be asked for natively; a list is asked for in words. */
function isObjectForm({ schema }: OutputForm): boolean {
  return schema === undefined || (schema as { type?: unknown }).type === 'object';
}

function toResponseFormat(schema: object): object {
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrictSchema(schema) } };
}

export function toToolChoice(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}
