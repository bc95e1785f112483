import { everyIncluded, type IncludedText } from '../template/composition.ts';
import { findSection } from '../template/sections.ts';
import { type CompiledTemplate, compileTemplate, type IncludeTag } from '../template/template.ts';
import { nameClosest } from '../yaml/name-closest.ts';
import type { Published } from './find-published.ts';
import { quoteText } from './quote-text.ts';

/** Takes what a tag names out of a published version; a text says why it cannot. */
export function includeText({ pattern, section }: IncludeTag, source: Published): IncludedText | string {
  const { text, included } = source.composition;
  const whole = readWhole(source);
  if (section === null) return toIncluded(pattern, null, source, { text, included, used: whole.variables });
  const place = findSection(text, section);
  if ('fault' in place) {
    if (place.fault === 'several')
      return `names a section that ${pattern} has more than once; give one another heading`;
    const names = place.names.slice(0, 20).map((name) => quoteText(name, 60));
    const known = names.length > 0 ? `It has ${names.join(', ')}` : 'It has no headings';
    return `names a section that ${pattern} does not have${nameClosest(section, place.names)}. ${known}`;
  }
  const cut = text.slice(place.from, place.to);
  const part = compile(source, cut);
  if (part.problems.length > 0) return `names a section of ${pattern} that begins or ends inside a block`;
  const inside = included.filter((_, index) => {
    const start = whole.includes[index]?.start ?? -1;
    return start >= place.from && start < place.to;
  });
  return toIncluded(pattern, section, source, { text: cut, included: inside, used: part.variables });
}

const wholes = new WeakMap<Published, CompiledTemplate>();

function readWhole(source: Published): CompiledTemplate {
  const known = wholes.get(source) ?? compile(source, source.composition.text);
  wholes.set(source, known);
  return known;
}

function compile(source: Published, text: string) {
  return compileTemplate(text, {
    declared: source.variables.map(({ name }) => name),
    literals: source.literal_tokens,
    closed: true,
    language: source.template,
  });
}

function toIncluded(
  pattern: string,
  section: string | null,
  { version, digest, template, variables, literal_tokens, disabled_capabilities }: Published,
  { text, included, used }: Pick<IncludedText, 'text' | 'included'> & { readonly used: readonly string[] },
): IncludedText {
  return {
    pattern,
    version,
    digest,
    section,
    text,
    template,
    variables: variables.filter(({ name }) => used.includes(name)),
    literal_tokens: literal_tokens.filter((token) => text.includes(token)),
    disabled_capabilities: disabled_capabilities.filter((token) => text.includes(token)),
    included,
  };
}

export const levelsAllowed = 5;
export const textsAllowed = 100;
const charactersAllowed = 1024 * 1024;

/** Why a version cannot hold these texts, or undefined. */
export function faultOfIncluded(included: readonly IncludedText[]): string | undefined {
  const texts = everyIncluded(included);
  if (texts.some(({ through }) => through.length >= levelsAllowed)) {
    const deepest = texts.find(({ through }) => through.length >= levelsAllowed);
    const path = [...(deepest?.through ?? []), deepest?.text.pattern].join(' → ');
    return `includes reach more than ${levelsAllowed} levels deep: ${path}`;
  }
  if (texts.length > textsAllowed) return `more than ${textsAllowed} texts are included`;
  const characters = texts.reduce((sum, { text }) => sum + text.text.length, 0);
  if (characters > charactersAllowed) return `the included texts hold more than ${charactersAllowed} characters`;
  return undefined;
}
