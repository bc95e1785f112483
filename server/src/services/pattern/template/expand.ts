import { AppError } from '#platform/app-error.ts';
import type { Choice, Part, Slot } from './parts.ts';
import type { CompiledTemplate } from './template.ts';
import { dateFunctions, relativeTime, textFunctions } from './template-functions.ts';

/** Characters (UTF-16 units) that an expanded template may hold. */
export const expansionLimit = 8 * 1024 * 1024;

// Finding the words costs 60 ms a megabyte, and the run path may not stand still.
const titleLimit = 64 * 1024;

export interface Values {
  readonly variables: ReadonlyMap<string, string>;
  readonly input: string;
  /** Milliseconds since 1970, for `{{plugin:datetime:...}}`. */
  readonly now: number;
  /** Puts a boundary around what a slot gives. `names` are the variables in it; the input's is empty. */
  readonly mark?: ((text: string, names: readonly string[]) => string) | undefined;
}

/**
 * Puts values into a template. Values come out exactly as they are and are never read as a template.
 * Throws `missing_variable` for a name without a value, `too_large` above `expansionLimit` before anything is put together.
 */
export function expand(template: Pick<CompiledTemplate, 'parts'>, values: Values): string {
  const { parts } = template;
  if (parts.length === 1 && typeof parts[0] === 'string') return parts[0];
  if (sizeOf(parts, values) > expansionLimit) throw tooLarge('the prompt', expansionLimit);
  const text = join(parts, values);
  // Capital letters can be longer than small ones.
  if (text.length > expansionLimit) throw tooLarge('the prompt', expansionLimit);
  return text;
}

function join(parts: readonly Part[], values: Values): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : fill(part, values);
  return text;
}

function fill(slot: Slot, values: Values): string {
  switch (slot.kind) {
    case 'input':
      return values.mark ? values.mark(values.input, ['']) : values.input;
    case 'variable':
      return marked(valueFor(slot.name, values), slot, values);
    case 'choice':
      return join(chosen(slot, values), values);
    case 'text': {
      const value = join(slot.argument, values.mark ? { ...values, mark: undefined } : values);
      if (slot.call === 'title' && value.length > titleLimit) throw tooLarge('a title', titleLimit);
      return marked(textFunctions[slot.call](value), slot, values);
    }
    case 'datetime':
      return slot.call === 'rel'
        ? relative(slot.argument, values.mark ? { ...values, mark: undefined } : values)
        : dateFunctions[slot.call](values.now);
  }
}

function marked(text: string, slot: Slot, { mark }: Values): string {
  return mark ? mark(text, namesIn(slot)) : text;
}

function namesIn(part: Part): string[] {
  if (typeof part === 'string') return [];
  if (part.kind === 'variable') return [part.name];
  if (part.kind === 'input') return [''];
  return 'argument' in part ? part.argument.flatMap(namesIn) : [];
}

function sizeOf(parts: readonly Part[], values: Values): number {
  let size = 0;
  for (const part of parts) {
    if (typeof part === 'string') size += part.length;
    else if (part.kind === 'variable') size += valueFor(part.name, values).length;
    else if (part.kind === 'input') size += values.input.length;
    else if (part.kind === 'text') size += sizeOf(part.argument, values);
    else if (part.kind === 'choice') size += sizeOf(chosen(part, values), values);
    else size += 32;
  }
  return size;
}

/** The text of a block. A value is compared, never read. */
function chosen({ name, equals, met, unmet }: Choice, values: Values): readonly Part[] {
  const value = valueFor(name, values);
  return (equals === null ? value !== '' && value !== 'false' : value === equals) ? met : unmet;
}

function valueFor(name: string, values: Values): string {
  const value = values.variables.get(name);
  if (value !== undefined) return value;
  throw new AppError('missing_variable', `The pattern needs a value for ${name}. Send it in variables.`, {
    pointer: `/variables/${name}`,
  });
}

function relative(argument: readonly Part[], values: Values): string {
  const distance = join(argument, values);
  const time = relativeTime(values.now, distance);
  if (time !== undefined) return time;
  const source = argument.find((part) => typeof part !== 'string');
  const named = source !== undefined && typeof source !== 'string' && source.kind === 'variable';
  throw new AppError(
    named ? 'invalid_variable' : 'invalid_request',
    'The pattern takes a distance in time here, such as -2d, 1w, 1y or 90m.',
    { pointer: named ? `/variables/${source.name}` : '/input' },
  );
}

function tooLarge(what: string, limit: number): AppError {
  return new AppError(
    'too_large',
    `With these values ${what} would hold more than ${limit} characters. Send less, or use a value fewer times.`,
  );
}
