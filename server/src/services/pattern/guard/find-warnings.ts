import type { PatternWarning } from '@damask/contracts/guard.ts';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { trimEdges, usesInput, withoutLastInput } from '../template/parts.ts';
import { compileTemplate } from '../template/template.ts';
import type { VariableRule } from '../template/variables.ts';
import { isFreeText } from './data-boundary.ts';
import { findInvisible } from './invisible-text.ts';

const mostOfFile = 20;
const mostShown = 100;

interface Read {
  readonly files: readonly PatternFile[];
  readonly variables: readonly VariableRule[];
  readonly literal_tokens: readonly string[];
  readonly template: 1 | 2;
}

/** What an author should look at in a version that is fit to be stored. */
export function findWarnings(version: Read): PatternWarning[] {
  const warnings = findUntrusted(version);
  for (const { path, content } of version.files) {
    for (const { line, characters, shown } of findInvisible(content, mostOfFile)) {
      const detail = `holds text that nobody sees (${characters.slice(0, 5).join(', ')}): "${shown}"`;
      warnings.push({ code: 'invisible_text', file: path, line, detail });
    }
  }
  return warnings.slice(0, mostShown);
}

/** The same as a field of an answer, which is left out where there are none. */
export function warned(version: Read): { readonly warnings?: PatternWarning[] } {
  const warnings = findWarnings(version);
  return warnings.length > 0 ? { warnings } : {};
}

/** Variables of any text within the system message, where a model takes what it reads for instructions. */
function findUntrusted({ files, variables, literal_tokens, template }: Read): PatternWarning[] {
  const system = files.find(({ path }) => path === 'system.md')?.content;
  const free = variables.filter(isFreeText).map(({ name }) => name);
  if (system === undefined || free.length === 0) return [];
  const declared = variables.map(({ name }) => name);
  const { parts } = compileTemplate(system, { declared, literals: literal_tokens, closed: true, language: template });
  // With the input in it the text is the user's message.
  if (withoutLastInput(trimEdges(parts)).some(usesInput)) return [];
  const lines = system.split('\n');
  return free.map((name) => {
    const at = lines.findIndex((line) => new RegExp(`\\{\\{[^}]*\\b${name}\\b`).test(line));
    const detail = `puts the variable ${name} into the system message. Say under variables who writes it: untrusted: true marks it as data, untrusted: false says that only people you trust do`;
    return { code: 'untrusted_in_system', file: 'system.md', line: Math.max(at, 0) + 1, detail };
  });
}
