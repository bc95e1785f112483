import { AppError } from '#platform/app-error.ts';

const names = new Intl.DisplayNames(['en'], { type: 'language' });
const known = new Map<string, string>();
const mostKnown = 200;

/** What tells the model the language of its answer; empty for `en`, which the patterns are written in. Errors: `invalid_request`. */
export function answerLanguage(tag: string): string {
  const before = known.get(tag);
  if (before !== undefined) return before;
  const text = instructionFor(tag);
  if (known.size >= mostKnown) known.clear();
  known.set(tag, text);
  return text;
}

function instructionFor(tag: string): string {
  const canonical = canonicalTag(tag);
  if (canonical === 'en') return '';
  const name = names.of(canonical);
  const language =
    name === undefined || name === canonical ? `the language ${canonical} (BCP 47)` : `${name} (${canonical})`;
  return (
    `Write the whole answer in ${language}, whatever language the text is in. ` +
    'Headings and labels that these instructions ask for are translated, too.'
  );
}

function canonicalTag(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] as string;
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'This is no language tag. Write one of BCP 47: de, pt-BR, zh-Hant.',
      { pointer: '/language' },
      { cause },
    );
  }
}
