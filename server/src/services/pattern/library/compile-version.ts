import { partsOf, readComposition } from '../template/composition.ts';
import { type Part, trimEdges, usesInput, withoutLastInput } from '../template/parts.ts';
import { compileTemplate } from '../template/template.ts';
import type { VariableRule } from '../template/variables.ts';

/** A version made ready for runs. Made once for each version; building messages from it takes about a microsecond. */
export interface CompiledVersion {
  readonly parts: readonly Part[];
  readonly variables: readonly VariableRule[];
  readonly disabledCapabilities: readonly string[];
  /** The author put `{{input}}` into the text: then the text with the input in it is the user message. */
  readonly inline: boolean;
}

/** What is stored of a version that its text is read with. */
export interface StoredTemplate {
  /** The text of system.md, or with what it includes as `writeComposition` writes it. */
  readonly text: string;
  readonly template: 1 | 2;
  readonly includes: readonly unknown[];
  readonly variables: readonly VariableRule[];
  readonly literal_tokens: readonly string[];
  readonly disabled_capabilities: readonly string[];
}

/** Reads the text of a stored version again, with the variables and literal tokens that were settled when it was published. */
export function compileVersion(version: StoredTemplate): CompiledVersion {
  const { text, included } = readComposition(version.text, version.includes.length > 0);
  const compiled = compileTemplate(text, {
    declared: version.variables.map((variable) => variable.name),
    literals: version.literal_tokens,
    closed: true,
    language: version.template,
    included: partsOf(included),
  });
  const parts = withoutLastInput(trimEdges(compiled.parts));
  return {
    parts,
    variables: version.variables,
    disabledCapabilities: version.disabled_capabilities,
    inline: parts.some(usesInput),
  };
}
