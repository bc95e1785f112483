import { toClosedSchema, withFormInstruction } from './answer-form.ts';
import { reasoningOf, takesOutputFormat } from './anthropic-models.ts';
import { argumentsOf, textOf, unsupported } from './content-parts.ts';
import type { ContentPart, ModelMessage, ModelRequest, ToolChoice } from './model-call.ts';

/** The tool that older models are made to call with their answer, because they take no output format. */
export const answerTool = 'answer';

const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
/** The vendor wants a limit; this one is for callers who set none and a server without its own. */
const standardMaxTokens = 4_096;

type Block = Record<string, unknown>;

export interface AnthropicDialect {
  readonly provider: string;
  readonly defaultMaxTokens: number | null;
}

/** Whether the answer comes as the arguments of a tool that nobody asked for. */
export function answersByTool({ model, output, tools }: ModelRequest): boolean {
  if (output?.schema === undefined || (tools !== undefined && tools.length > 0)) return false;
  return !takesOutputFormat(model) && (output.schema as { type?: unknown }).type === 'object';
}

/** The body of a message. Penalties and seeds have no word here and are left out. Throws `attachment_not_supported`. */
export function toMessagesBody(request: ModelRequest, { provider, defaultMaxTokens }: AnthropicDialect): string {
  const { model, output, parameters, stream, tools } = request;
  const closed = output?.schema === undefined ? null : toClosedSchema(output.schema);
  const byTool = answersByTool(request);
  const native = closed !== null && takesOutputFormat(model);
  const messages =
    output === undefined || native || byTool ? request.messages : withFormInstruction(request.messages, output);
  const { thinking, effort, extraTokens } = reasoningOf(model, parameters.reasoning_effort);
  const thinks = thinking !== undefined && thinking.type !== 'disabled';
  const body: Record<string, unknown> = {
    model,
    max_tokens: (parameters.max_tokens ?? defaultMaxTokens ?? standardMaxTokens) + extraTokens,
    messages: toMessages(messages, request.cachePrompt === true, provider),
  };
  const system = toSystem(messages, request.cachePrompt === true);
  if (system !== undefined) body.system = system;
  // While a model thinks it takes no other sampling than its own.
  if (!thinks) {
    if (parameters.temperature !== undefined) body.temperature = parameters.temperature;
    if (parameters.top_p !== undefined) body.top_p = parameters.top_p;
  }
  if (parameters.stop !== undefined) body.stop_sequences = parameters.stop;
  if (thinking !== undefined) body.thinking = thinking;
  if (native || effort !== undefined) {
    body.output_config = {
      ...(effort === undefined ? {} : { effort }),
      ...(native ? { format: { type: 'json_schema', schema: closed } } : {}),
    };
  }
  if (byTool) {
    body.tools = [{ name: answerTool, description: 'Takes the answer.', input_schema: output?.schema }];
    // A model that thinks may not be forced to call a tool.
    body.tool_choice = thinks ? { type: 'auto' } : { type: 'tool', name: answerTool };
  } else if (tools !== undefined && tools.length > 0) {
    body.tools = tools.map(({ name, description, parameters: input_schema }) => ({
      name,
      ...(description === undefined ? {} : { description }),
      input_schema,
    }));
    if (request.tool_choice !== undefined) body.tool_choice = toToolChoice(request.tool_choice);
  }
  if (stream) body.stream = true;
  return JSON.stringify(body);
}

const cacheMark = { type: 'ephemeral' };

function toSystem(messages: readonly ModelMessage[], cache: boolean): unknown {
  const texts = messages.filter((message) => message.role === 'system').map((message) => textOf(message.content));
  const text = texts.filter((part) => part !== '').join('\n\n');
  if (text === '') return undefined;
  return cache ? [{ type: 'text', text, cache_control: cacheMark }] : text;
}

function toMessages(messages: readonly ModelMessage[], cache: boolean, provider: string): object[] {
  const turns: { role: 'user' | 'assistant'; content: string | Block[] }[] = [];
  const results = new Set<Block[]>();
  for (const message of messages) {
    if (message.role === 'system') continue;
    if (message.role === 'tool') {
      const result = {
        type: 'tool_result',
        tool_use_id: message.tool_call_id,
        content: toBlocks(message.content, provider),
      };
      const last = turns.at(-1)?.content;
      // All answers to one turn's calls belong into one message.
      if (typeof last === 'object' && results.has(last)) last.push(result);
      else {
        const content = [result];
        results.add(content);
        turns.push({ role: 'user', content });
      }
    } else turns.push({ role: message.role, content: toContent(message, provider) });
  }
  if (cache) markLastOfPrefix(turns);
  return turns;
}

/** Marks the end of what will be the same in the next call of a conversation: all but its last user message. */
function markLastOfPrefix(turns: { content: string | Block[] }[]): void {
  const turn = turns.at(-2);
  if (turn === undefined) return;
  if (typeof turn.content === 'string') turn.content = [{ type: 'text', text: turn.content, cache_control: cacheMark }];
  else Object.assign(turn.content.at(-1) ?? {}, { cache_control: cacheMark });
}

function toContent({ content, tool_calls }: ModelMessage, provider: string): string | Block[] {
  if (tool_calls === undefined || tool_calls.length === 0) return toBlocks(content, provider);
  const text = textOf(content);
  return [
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...tool_calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: argumentsOf(call) })),
  ];
}

function toBlocks(content: ModelMessage['content'], provider: string): string | Block[] {
  return typeof content === 'string' ? content : content.map((part) => toBlock(part, provider));
}

function toBlock(part: ContentPart, provider: string): Block {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const { media_type, data } = part;
  const source = { type: 'base64', media_type, data };
  if (part.type === 'document') return { type: 'document', source, title: part.name };
  if (!imageTypes.has(media_type)) throw unsupported(provider, `images of the type ${media_type.slice(0, 100)}`);
  return { type: 'image', source };
}

function toToolChoice(choice: ToolChoice): object {
  if (typeof choice === 'object') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}
