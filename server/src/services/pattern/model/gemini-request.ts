import type { Parameters } from '@damask/contracts/parameters.ts';
import { withFormInstruction } from './answer-form.ts';
import { argumentsOf, textOf } from './content-parts.ts';
import { ownCallId } from './model-answer.ts';
import type { ContentPart, ModelMessage, ModelRequest, ToolCall } from './model-call.ts';

export interface GeminiDialect {
  readonly defaultMaxTokens: number | null;
}

/** The body of generateContent. A model of the first generation gets the form in words. */
export function toContentBody(request: ModelRequest, { defaultMaxTokens }: GeminiDialect): string {
  const { model, output, parameters, tools } = request;
  const messages = output && tools?.length ? withFormInstruction(request.messages, output) : request.messages;
  const body: Record<string, unknown> = { contents: toContents(messages, model) };
  const system = messages
    .filter((message) => message.role === 'system')
    .map(({ content }) => ({ text: textOf(content) }));
  if (system.length > 0) body.systemInstruction = { parts: system };
  const config: Record<string, unknown> = {};
  const set = (name: string, value: unknown) => {
    if (value !== undefined && value !== null) config[name] = value;
  };
  set('temperature', parameters.temperature);
  set('topP', parameters.top_p);
  set('presencePenalty', parameters.presence_penalty);
  set('frequencyPenalty', parameters.frequency_penalty);
  set('seed', parameters.seed);
  set('stopSequences', parameters.stop);
  set('maxOutputTokens', parameters.max_tokens ?? defaultMaxTokens);
  set('thinkingConfig', toThinking(model, parameters.reasoning_effort));
  // Function calls and a form of the answer exclude each other here, so with tools it is only told in words.
  if (output && !tools?.length) {
    set('responseMimeType', 'application/json');
    set('responseJsonSchema', output.schema);
  }
  body.generationConfig = config;
  if (tools !== undefined && tools.length > 0) {
    body.tools = [
      {
        functionDeclarations: tools.map(({ name, description, parameters: parametersJsonSchema }) => ({
          name,
          ...(description === undefined ? {} : { description }),
          parametersJsonSchema,
        })),
      },
    ];
    if (request.tool_choice !== undefined)
      body.toolConfig = { functionCallingConfig: toCallingMode(request.tool_choice) };
  }
  return JSON.stringify(body);
}

function toCallingMode(choice: NonNullable<ModelRequest['tool_choice']>): object {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() };
}

const budgets = { minimal: 512, low: 1_024, medium: 8_192, high: 24_576 } as const;

/** Models of the series 2.5 take a number of tokens, later ones a level. Pro models cannot be kept from thinking. */
function toThinking(model: string, effort: Parameters['reasoning_effort']): object | undefined {
  if (effort === undefined) return undefined;
  const pro = model.includes('pro');
  if (/gemini-2/.test(model)) {
    return { thinkingBudget: effort === 'none' ? (pro ? 128 : 0) : budgets[effort] };
  }
  if (effort === 'none' || effort === 'minimal') return { thinkingLevel: pro ? 'low' : 'minimal' };
  return { thinkingLevel: effort };
}

type Part = Record<string, unknown>;

function toContents(messages: readonly ModelMessage[], model: string): object[] {
  const contents: { role: 'user' | 'model'; parts: Part[] }[] = [];
  const names = new Map<string, string>();
  // Later models want proof that a call was their own; this is the vendor's word for having none.
  const signed = /gemini-[12]/.test(model) ? {} : { thoughtSignature: 'skip_thought_signature_validator' };
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts = message.role === 'tool' ? [toFunctionResponse(message, names)] : toParts(message.content);
    for (const [at, call] of (message.tool_calls ?? []).entries()) {
      names.set(call.id, call.name);
      parts.push({
        functionCall: { ...callId(call), name: call.name, args: argumentsOf(call) },
        ...(at === 0 ? signed : {}),
      });
    }
    const last = contents.at(-1);
    const joins = message.role === 'tool' && last?.parts.every((part) => 'functionResponse' in part) === true;
    if (joins && last) last.parts.push(...parts);
    else contents.push({ role, parts });
  }
  return contents;
}

const callId = ({ id }: Pick<ToolCall, 'id'>) => (id.startsWith(ownCallId) ? {} : { id });

function toFunctionResponse({ content, tool_call_id = '' }: ModelMessage, names: ReadonlyMap<string, string>): Part {
  const text = textOf(content);
  return {
    functionResponse: {
      ...callId({ id: tool_call_id }),
      name: names.get(tool_call_id) ?? 'unknown',
      response: { result: text },
    },
  };
}

function toParts(content: ModelMessage['content']): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }];
  return content.map(toPart);
}

function toPart(part: ContentPart): Part {
  if (part.type === 'text') return { text: part.text };
  return { inlineData: { mimeType: part.media_type, data: part.data } };
}
