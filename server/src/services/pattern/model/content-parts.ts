import { AppError } from '#platform/app-error.ts';
import type { ModelMessage, ToolCall } from './model-call.ts';

/** The text of a message whose other parts a vendor does not take in this place. */
export function textOf(content: ModelMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

export function unsupported(provider: string, what: string): AppError {
  return new AppError(
    'attachment_not_supported',
    `${provider} cannot take ${what} here. Leave it out, or use a model of another provider.`,
  );
}

/** Arguments of a call as a value. Vendors that take an object take no text, even where the model wrote nonsense. */
export function argumentsOf(call: ToolCall): object {
  let value: unknown;
  try {
    value = JSON.parse(call.arguments === '' ? '{}' : call.arguments);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new AppError(
    'invalid_request',
    'The arguments of a tool call are not a JSON object. Send the message as the model wrote it, or leave it out.',
  );
}
