import type { Message } from '@damask/contracts/message.ts';
import type { PatternVersion } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { expand, type Values } from '../template/expand.ts';
import { compileTemplate, type Part } from '../template/template.ts';
import { resolveVariables, type VariableRule } from '../template/variables.ts';
import { answerLanguage } from './answer-language.ts';
import { quoteText } from './quote-text.ts';

/** A version made ready for runs. Made once for each version; building messages from it takes about a microsecond. */
export interface CompiledVersion {
  readonly parts: readonly Part[];
  readonly variables: readonly VariableRule[];
  readonly disabledCapabilities: readonly string[];
  /** The author put `{{input}}` into the text: then the text with the input in it is the user message. */
  readonly inline: boolean;
}

export interface MessageRequest {
  readonly input: string;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** The text of the strategy that goes before the pattern. */
  readonly strategy?: string | undefined;
  /** A background text that goes between strategy and pattern. */
  readonly context?: string | undefined;
  /** Tag of the language that the answer is to have. */
  readonly language?: string | null | undefined;
  /** Files go along, so that the input may be blank. */
  readonly attached?: boolean | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads the text of a stored version again, with the variables and literal tokens that were settled when it was published. */
export function compileVersion(
  version: Pick<PatternVersion, 'variables' | 'literal_tokens'> & {
    readonly files: readonly { readonly path: string; readonly content: string }[];
  },
): CompiledVersion {
  const system = version.files.find((file) => file.path === 'system.md')?.content ?? '';
  const compiled = compileTemplate(system, {
    declared: version.variables.map((variable) => variable.name),
    literals: version.literal_tokens,
    closed: true,
  });
  const parts = trimEdges(compiled.parts);
  const trailing = endsWithInput(parts);
  return {
    parts: trailing ? trimEdges(parts.slice(0, -1)) : parts,
    variables: version.variables,
    disabledCapabilities: compiled.disabledCapabilities,
    inline: !trailing && parts.some(usesInput),
  };
}

/**
 * The exact messages of a run (docs/decisions/0005-messages.md). Throws `capability_disabled`, `missing_variable`, `invalid_variable`,
 * `too_large`, and `invalid_request` for unknown variables or an input that is needed and blank.
 */
export function buildMessages(version: CompiledVersion, request: MessageRequest): Message[] {
  refuseDisabled(version);
  if (!version.inline && !request.attached && request.input.trim() === '') {
    throw new AppError('invalid_request', 'The input is empty. Send the text that the pattern works on.', {
      pointer: '/input',
    });
  }
  const values: Values = {
    variables: resolveVariables(version.variables, request.variables),
    input: request.input,
    now: request.now,
  };
  const text = expand(version, values);
  const system = systemOf(version.inline ? '' : text, request);
  const user: Message = { role: 'user', content: version.inline ? text : request.input };
  return system === '' ? [user] : [{ role: 'system', content: system }, user];
}

// Fabric's order, joined as Fabric joins.
function systemOf(text: string, { strategy, context, language }: MessageRequest): string {
  if (strategy === undefined && context === undefined && !language) return text;
  const instruction = language ? answerLanguage(language) : '';
  return [strategy?.trim(), context?.trim(), text, instruction].filter(Boolean).join('\n');
}

function refuseDisabled(version: CompiledVersion): void {
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

// Only the author's own text is trimmed, never a value.
function trimEdges(parts: readonly Part[]): Part[] {
  const trimmed = [...parts];
  const [first] = trimmed;
  if (typeof first === 'string') trimmed[0] = first.trimStart();
  const last = trimmed.at(-1);
  if (typeof last === 'string') trimmed[trimmed.length - 1] = last.trimEnd();
  return trimmed.filter((part) => part !== '');
}

// Fabric adds a line `{{input}}` to a pattern without one, so a pattern that ends with that line is one without.
function endsWithInput(parts: readonly Part[]): boolean {
  const last = parts.at(-1);
  if (last === undefined || typeof last === 'string' || last.kind !== 'input') return false;
  const before = parts.at(-2);
  const alone = before === undefined || (typeof before === 'string' && /\n[ \t]*$/.test(before));
  return alone && !parts.slice(0, -1).some(usesInput);
}

function usesInput(part: Part): boolean {
  if (typeof part === 'string') return false;
  return part.kind === 'input' || ('argument' in part && part.argument.some(usesInput));
}
