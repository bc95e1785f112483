import type { Message } from '@damask/contracts/message.ts';
import { AppError } from '#platform/app-error.ts';
import { type BoundaryRequest, type DataBoundary, isFreeText } from '../guard/data-boundary.ts';
import { expand, type Values } from '../template/expand.ts';
import { resolveVariables } from '../template/variables.ts';
import { answerLanguage } from './answer-language.ts';
import type { CompiledVersion } from './compile-version.ts';
import { quoteText } from './quote-text.ts';

/** What a version asks for beside its text. */
export interface MessageGuards {
  /** The boundary of a request; null: none is put around its texts. */
  readonly boundary: ((request: BoundaryRequest) => DataBoundary) | null;
  /** A line of the system message that no answer may hold. */
  readonly canary: string | null;
}

/** `guards` are absent or null for most. */
export type GuardedVersion = CompiledVersion & { readonly guards?: MessageGuards | null };

export interface MessageRequest extends BoundaryRequest {
  /** The text of the strategy that goes before the pattern. */
  readonly strategy?: string | undefined;
  /** A background text that goes between strategy and pattern. */
  readonly context?: string | undefined;
  /** Tag of the language that the answer is to have. */
  readonly language?: string | null | undefined;
  /** Hashes of the files that go along; the input may then be blank. */
  readonly attached?: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The exact messages of a run (docs/decisions/0005-messages.md). Throws `capability_disabled`, `missing_variable`, `invalid_variable`,
 * `too_large`, and `invalid_request` for unknown variables or an input that is needed and blank.
 */
export function buildMessages(version: GuardedVersion, request: MessageRequest): Message[] {
  refuseDisabled(version);
  if (!version.inline && !request.attached?.length && request.input.trim() === '') {
    throw new AppError('invalid_request', 'The input is empty. Send the text that the pattern works on.', {
      pointer: '/input',
    });
  }
  const values: Values = {
    variables: resolveVariables(version.variables, request.variables),
    input: request.input,
    now: request.now,
  };
  if (version.guards) return guardMessages(version, version.guards, values, request);
  const text = expand(version, values);
  const system = systemOf(version.inline ? '' : text, request);
  const user: Message = { role: 'user', content: version.inline ? text : request.input };
  return system === '' ? [user] : [{ role: 'system', content: system }, user];
}

/** The same with a boundary around what strangers wrote, and with the word that shows whether the instructions get out. */
function guardMessages(
  version: CompiledVersion,
  { boundary, canary }: MessageGuards,
  values: Values,
  request: MessageRequest,
): Message[] {
  const marks = boundary?.(request);
  const free = new Set(['', ...version.variables.filter(isFreeText).map(({ name }) => name)]);
  const mark = (text: string, names: readonly string[]) =>
    marks && names.some((name) => free.has(name)) ? marks.around(text) : text;
  const text = expand(version, { ...values, mark });
  const written = version.inline ? '' : text;
  const system = systemOf([written, canary].filter(Boolean).join('\n\n'), request);
  const said = version.inline ? text : mark(request.input, ['']);
  const user: Message = { role: 'user', content: marks ? `${marks.note}\n\n${said}` : said };
  return system === '' ? [user] : [{ role: 'system', content: system }, user];
}

// Fabric's order, joined as Fabric joins.
function systemOf(text: string, { strategy, context, language }: MessageRequest): string {
  if (strategy === undefined && context === undefined && !language) return text;
  const instruction = language ? answerLanguage(language) : '';
  return [strategy?.trim(), context?.trim(), text, instruction].filter(Boolean).join('\n');
}

/** Throws `capability_disabled` where the pattern needs what is off. */
export function refuseDisabled(version: Pick<CompiledVersion, 'disabledCapabilities'>): void {
  if (version.disabledCapabilities.length === 0) return;
  const shown = version.disabledCapabilities
    .slice(0, 5)
    .map((token) => quoteText(token))
    .join(', ');
  throw new AppError(
    'capability_disabled',
    `The pattern needs what this platform does not run: ${shown}. Take it out, or list it under literal_tokens in pattern.yaml to send it as text.`,
    { pointer: '/pattern' },
  );
}
