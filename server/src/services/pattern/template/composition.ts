import { type Part, trimEdges, withoutLastInput } from './parts.ts';
import { type CompiledTemplate, compileTemplate } from './template.ts';
import type { VariableRule } from './variables.ts';

/** A text of another pattern, as it was when the text that includes it was published. */
export interface IncludedText {
  readonly pattern: string;
  readonly version: number;
  /** Of the version that it was taken from. */
  readonly digest: string;
  /** Null: the whole text. */
  readonly section: string | null;
  readonly text: string;
  readonly template: 1 | 2;
  /** The rules of the variables in it, as its own pattern has them. */
  readonly variables: readonly VariableRule[];
  readonly literal_tokens: readonly string[];
  readonly disabled_capabilities: readonly string[];
  /** What it includes itself, in the order of its tags. */
  readonly included: readonly IncludedText[];
}

/** A text with everything that it includes: all that a run has to read. */
export interface Composition {
  readonly text: string;
  readonly included: readonly IncludedText[];
}

/** As it is stored: the text itself where it includes nothing. */
export function writeComposition({ text, included }: Composition): string {
  return included.length === 0 ? text : JSON.stringify({ text, included });
}

/** `composed` says that the stored text includes others. */
export function readComposition(stored: string, composed: boolean): Composition {
  return composed ? (JSON.parse(stored) as Composition) : { text: stored, included: [] };
}

/** Reads an included text by its own pattern's rules. */
export function compileIncluded(included: IncludedText): CompiledTemplate {
  const { text, template, variables, literal_tokens } = included;
  const compiled = compileTemplate(text, {
    declared: variables.map(({ name }) => name),
    literals: literal_tokens,
    closed: true,
    language: template,
    included: partsOf(included.included),
  });
  return { ...compiled, parts: withoutLastInput(trimEdges(compiled.parts)) };
}

/** What stands for each of the included texts. */
export function partsOf(included: readonly IncludedText[]): (readonly Part[])[] {
  return included.map((each) => compileIncluded(each).parts);
}

/** Every included text, each before what it includes itself. */
export function everyIncluded(
  included: readonly IncludedText[],
  through: readonly string[] = [],
): { readonly text: IncludedText; readonly through: readonly string[] }[] {
  return included.flatMap((text) => [{ text, through }, ...everyIncluded(text.included, [...through, text.pattern])]);
}
