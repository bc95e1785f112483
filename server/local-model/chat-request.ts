import { ApiError } from './api-error.ts';

export type Role = 'system' | 'user' | 'assistant';

export interface Message {
  readonly role: Role;
  readonly content: string;
}

export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  /** What the caller asked for; undefined leaves it to the default. */
  readonly maxTokens: number | undefined;
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly sampling: Sampling;
}

// What the authors of SmolLM2 recommend; small models wander at the protocol's own default of 1.
const defaultTemperature = 0.2;
const defaultTopP = 0.9;
// Without it the 135M model repeats one line until max_tokens on half of the inputs that we tried.
const defaultFrequencyPenalty = 0.2;

const roles: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the body of POST /v1/chat/completions. Fields that only tune are ignored when unknown, as the protocol's
 * servers do; fields that would change what the answer is (tools, formats, several choices) are refused with 400.
 */
export function readChatRequest(body: unknown): ChatRequest {
  if (!isObject(body)) throw invalid('', 'The body must be a JSON object.');
  if (!Array.isArray(body.messages) || body.messages.length === 0) {
    throw invalid('messages', 'messages must be a list with at least one message.');
  }
  refuseUnsupported(body);
  const streamOptions = isObject(body.stream_options) ? body.stream_options : {};
  return {
    messages: body.messages.map(readMessage),
    stream: body.stream === true,
    includeUsage: streamOptions.include_usage === true,
    sampling: {
      temperature: readNumber(body, 'temperature', 0, 2) ?? defaultTemperature,
      topP: readNumber(body, 'top_p', 0, 1) ?? defaultTopP,
      frequencyPenalty: readNumber(body, 'frequency_penalty', -2, 2) ?? defaultFrequencyPenalty,
      presencePenalty: readNumber(body, 'presence_penalty', -2, 2) ?? 0,
      seed: readInteger(body, 'seed', Number.MIN_SAFE_INTEGER),
      stop: readStop(body.stop),
      maxTokens: readInteger(body, 'max_completion_tokens', 1) ?? readInteger(body, 'max_tokens', 1),
    },
  };
}

function readMessage(message: unknown, index: number): Message {
  const param = `messages[${index}]`;
  if (!isObject(message)) throw invalid(param, `${param} must be an object.`);
  const role = typeof message.role === 'string' ? roles[message.role] : undefined;
  if (!role) throw invalid(`${param}.role`, `${param}.role must be system, user or assistant.`);
  return { role, content: readContent(message.content, `${param}.content`) };
}

function readContent(content: unknown, param: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(param, `${param} must be text.`);
  const parts = content.map((part) => {
    if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
    throw invalid(param, `${param} may hold text only; this model reads nothing else.`);
  });
  return parts.join('');
}

function refuseUnsupported(body: Fields): void {
  const format = isObject(body.response_format) ? body.response_format.type : undefined;
  if (format !== undefined && format !== 'text') throw unsupported('response_format');
  if (Array.isArray(body.tools) && body.tools.length > 0) throw unsupported('tools');
  if (body.logprobs === true) throw unsupported('logprobs');
  if (body.n !== undefined && body.n !== null && body.n !== 1) throw unsupported('n');
}

function readStop(stop: unknown): readonly string[] {
  if (stop === undefined || stop === null) return [];
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  const good = list.every((item) => typeof item === 'string' && item !== '');
  if (!good || list.length > 16) throw invalid('stop', 'stop must be a text or a list of at most 16 texts.');
  return list as readonly string[];
}

function readNumber(body: Fields, name: string, least: number, most: number): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw invalid(name, `${name} must be a number from ${least} to ${most}.`);
}

function readInteger(body: Fields, name: string, least: number): number | undefined {
  const value = readNumber(body, name, least, Number.MAX_SAFE_INTEGER);
  if (value === undefined || Number.isInteger(value)) return value;
  throw invalid(name, `${name} must be a whole number.`);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const invalid = (param: string, message: string) => new ApiError(400, 'invalid_request', message, { param });
const unsupported = (param: string) =>
  new ApiError(400, 'unsupported_parameter', `The local model does not support ${param}. Leave it out.`, { param });
